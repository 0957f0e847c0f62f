//! The results as JSON, for comparing runs: `{"tables": [{"title", "unit", "rows": [{"name", "values", …}]}]}`.

use crate::table::{Row, Table, Target};

pub fn document(tables: &[Table]) -> String {
    let tables: Vec<String> = tables.iter().map(table).collect();
    format!("{{\"tables\": [{}\n]}}\n", tables.join(","))
}

fn table(table: &Table) -> String {
    let rows: Vec<String> = table.rows.iter().map(|row| self::row(table, row)).collect();
    format!(
        "\n  {{\"title\": {}, \"unit\": {}, \"rows\": [{}\n  ]}}",
        quote(&table.title),
        quote(table.unit),
        rows.join(",")
    )
}

fn row(table: &Table, row: &Row) -> String {
    let values: Vec<String> = table
        .columns
        .iter()
        .zip(&row.values)
        .map(|(column, value)| format!("{}: {}", quote(column), number(*value)))
        .collect();
    let target = match row.target {
        Target::AtLeast(bound) => format!("\">= {bound}\""),
        Target::AtMost(bound) => format!("\"<= {bound}\""),
        Target::None => "null".to_string(),
    };
    format!(
        "\n    {{\"name\": {}, \"values\": {{{}}}, \"ratio\": {}, \"target\": {target}, \"verdict\": {}}}",
        quote(&row.name),
        values.join(", "),
        number(row.ratio),
        quote(row.verdict().word())
    )
}

fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.4}"),
        _ => "null".to_string(),
    }
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
