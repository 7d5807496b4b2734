//! What the plotting crate draws on: our SVG instead of its own, so that plots take the page's theme.
//!
//! The crate knows colours by red, green and blue. Here red is the number of an [`Ink`], and green that of a [`Dash`].

use std::convert::Infallible;

use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

use super::svg::{Anchor, CHARACTER, Dash, FONT, Ink, Svg};

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A drawing of this size.
pub(super) struct Canvas<'a> {
    /// The drawing.
    pub(super) svg: &'a mut Svg,
    /// Its width and height.
    pub(super) size: (u32, u32),
}

/// The colour that stands for an ink and a dash.
pub(super) fn colour(ink: Ink, dash: Dash) -> RGBColor {
    RGBColor(ink as u8, dash as u8, 0)
}

fn ink(colour: BackendColor) -> (Ink, Dash) {
    let (ink, dash, _) = colour.rgb;
    let ink = Ink::ALL.get(usize::from(ink)).copied().unwrap_or(Ink::Text);
    (ink, Dash::ALL.get(usize::from(dash)).copied().unwrap_or_default())
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        self.svg.area(&[(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)], ink(colour).0);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        if style.color().alpha > 0.0 {
            let places: Vec<BackendCoord> = path.into_iter().collect();
            let (ink, dash) = ink(style.color());
            self.svg.line(&places, ink, dash, style.stroke_width());
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, at: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        self.svg.circle(at, radius as i32, ink(style.color()).0, fill);
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let corners = [from, (to.0, from.1), to, (from.0, to.1), from];
        if fill { self.fill_polygon(corners, style) } else { self.draw_path(corners, style) }
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, places: I, style: &S) -> Drawn {
        let places: Vec<BackendCoord> = places.into_iter().collect();
        self.svg.area(&places, ink(style.color()).0);
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        // A tick without a label.
        if text.is_empty() {
            return Ok(());
        }
        let anchor = match style.anchor().h_pos {
            HPos::Left => Anchor::Start,
            HPos::Center => Anchor::Middle,
            HPos::Right => Anchor::End,
        };
        let down = match style.anchor().v_pos {
            VPos::Top => FONT / 2,
            VPos::Center => 0,
            VPos::Bottom => -FONT / 2,
        };
        self.svg.text((x, y + down), anchor, text);
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        _: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((text.chars().count() as u32 * CHARACTER as u32, FONT as u32))
    }
}
