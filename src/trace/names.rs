//! Texts and source lines of a recording, as people read them.

use crate::gil::record::Recording;
use std::path::Path;

pub struct Names<'a> {
    recording: &'a Recording,
    here: Option<std::path::PathBuf>,
}

impl<'a> Names<'a> {
    pub fn new(recording: &'a Recording) -> Names<'a> {
        Names { recording, here: std::env::current_dir().ok() }
    }

    /// A text by its number.
    pub fn text(&self, number: u32) -> &'a str {
        self.recording.texts.get(number as usize).map_or("", String::as_str)
    }

    /// `file:line in function`; files of the working directory without it.
    pub fn place(&self, number: u32) -> String {
        let Some(place) = (number as usize).checked_sub(1).and_then(|i| self.recording.places.get(i)) else {
            return "(no line)".to_owned();
        };
        let file = self.text(place.file);
        let short = self.here.as_deref().and_then(|here| Path::new(file).strip_prefix(here).ok());
        let file = short.map_or(file.to_owned(), |short| short.display().to_string());
        format!("{file}:{} in {}", place.line, self.text(place.function))
    }
}
