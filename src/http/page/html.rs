//! Text into HTML: everything that is not ours is escaped, cut to a length and rid of control
//! characters.

/// The longest text in one place, characters: a page is for a look, `/status` has the whole.
const LONGEST: usize = 240;

/// HTML in the making.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Our own markup. A literal, so that nothing of anybody else's comes in this way.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text of whatever origin.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars().take(LONGEST) {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                character if character.is_control() => self.0.push('?'),
                character => self.0.push(character),
            }
        }
        if text.chars().nth(LONGEST).is_some() {
            self.0.push('…');
        }
        self
    }

    /// Text in an element of ours with a class of ours.
    pub(super) fn mark(&mut self, class: Class, text: &str) -> &mut Self {
        self.raw(match class {
            Class::Plain => "<span>",
            Class::Ok => "<span class=ok>",
            Class::Warn => "<span class=warn>",
            Class::Bad => "<span class=bad>",
            Class::Dim => "<span class=dim>",
        });
        self.text(text).raw("</span>")
    }

    /// The whole.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// How a text looks. Never says anything that the words do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// As the rest.
    #[default]
    Plain,
    /// As it should be.
    Ok,
    /// Somebody should look.
    Warn,
    /// Wrong.
    Bad,
    /// Beside the point.
    Dim,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_text_looks_like_markup_expect_it_shown_and_not_obeyed() {
        let mut html = Html::default();
        html.text("<script>alert('\"&')</script>\u{1b}[31m\n");
        assert_eq!(
            html.finish(),
            "&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;?[31m?"
        );
    }

    #[test]
    fn when_text_is_long_expect_it_cut_and_said() {
        let mut html = Html::default();
        html.text(&"é".repeat(LONGEST)).text(&"x".repeat(LONGEST + 1));
        let text = html.finish();
        assert_eq!(text.chars().count(), 2 * LONGEST + 1);
        assert!(text.ends_with("x…"));
    }
}
