//! `mini trace view`: a trace as a page of its own, with everything in it that it needs.

use super::json::{self, Json};

/// The page, with a mark where the trace belongs.
const PAGE: &str = include_str!("view.html");
const MARK: &str = "/*TRACE*/null";

/// The page for a trace. Errors: what is wrong with it.
pub fn page(text: &str, title: &str) -> Result<String, String> {
    let document = json::parse(text)?;
    if document.get("traceEvents").and_then(Json::list).or_else(|| document.list()).is_none() {
        return Err("there is no list traceEvents".to_owned());
    }
    // A script ends with the first `</`, whatever stands around it.
    let data = text.trim().replace("</", "<\\/").replace("<!--", "<\\u0021--");
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    Ok(PAGE.replace("{{TITLE}}", &title).replacen(MARK, &data, 1))
}
