//! A picture as SVG: no fonts, scripts or images from elsewhere, and readable on light and dark.

use std::fmt::Write;

use super::layout::{Card, FONT, Line, MARGIN, Node, Picture, Port, SMALL, text_width};
use crate::cell::Kind;

/// The colour of each type, on light and on dark.
fn colour(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Network => ("#0b7285", "#4fc3d9"),
        Kind::Uts => ("#9c36b5", "#d893e8"),
        Kind::Pid => ("#c2500a", "#f3a261"),
        Kind::Time => ("#2b8a3e", "#6fd08c"),
        Kind::User => ("#c92a2a", "#ff8f8f"),
        Kind::Cgroup => ("#5f3dc4", "#ad9bf5"),
        Kind::Ipc => ("#1864ab", "#7ab8f5"),
        Kind::Mount => ("#846200", "#d9b44a"),
    }
}

pub fn render(picture: &Picture) -> String {
    let mut out = String::new();
    let (width, height) = (picture.width.ceil(), picture.height.ceil());
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{}\">",
        escape(&picture.title)
    );
    out.push_str(&style());
    let _ = writeln!(out, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>");
    header(&mut out, picture);
    // Lines lie below what they lead to.
    for line in &picture.lines {
        draw_line(&mut out, line);
    }
    for node in &picture.nodes {
        draw_node(&mut out, node);
    }
    for card in &picture.cards {
        draw_card(&mut out, card);
    }
    if let Some((y, text)) = &picture.grid_title {
        let _ = writeln!(out, "<text class=\"small dim\" x=\"{MARGIN}\" y=\"{y:.1}\">{}</text>", escape(text));
    }
    out.push_str("</svg>\n");
    out
}

fn style() -> String {
    let mut css = format!(
        "<style>\
         .paper{{fill:#fff}}.box{{fill:#fff;stroke:#ced4da}}.card{{fill:#f8f9fa;stroke:#ced4da}}\
         text{{fill:#212529;font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:{FONT}px}}\
         .title{{font-size:19px;font-weight:600;font-family:system-ui,'DejaVu Sans',Helvetica,Arial,sans-serif}}\
         .small{{font-size:{SMALL}px}}.dim{{fill:#6c757d}}.name{{font-weight:600}}\
         .wire{{fill:none;stroke:#495057;stroke-width:2}}.thin{{stroke-width:1;stroke-opacity:.55}}.line{{fill:none;stroke-width:1.6;stroke-opacity:.65}}\
         .tint{{fill-opacity:.11}}.edge{{fill:none;stroke-width:1.4}}\
         .up{{fill:#2b8a3e}}.down{{fill:#adb5bd}}.hub{{fill:#495057}}"
    );
    for kind in Kind::ALL {
        let (light, name) = (colour(kind).0, kind.proc_name());
        let _ = write!(css, ".f-{name}{{fill:{light}}}.s-{name}{{stroke:{light}}}");
    }
    css.push_str(
        "@media (prefers-color-scheme:dark){.paper{fill:#14171c}.box{fill:#14171c;stroke:#454c56}\
         .card{fill:#1d2229;stroke:#454c56}text{fill:#e6e9ee}.dim{fill:#98a1ad}.wire{stroke:#aab2bd}\
         .tint{fill-opacity:.18}.up{fill:#6fd08c}.down{fill:#5c636d}.hub{fill:#aab2bd}",
    );
    for kind in Kind::ALL {
        let (dark, name) = (colour(kind).1, kind.proc_name());
        let _ = write!(css, ".f-{name}{{fill:{dark}}}.s-{name}{{stroke:{dark}}}");
    }
    css.push_str("}</style>\n");
    css
}

/// What it is, and which colour is which type.
fn header(out: &mut String, picture: &Picture) {
    let _ = writeln!(out, "<text class=\"title\" x=\"{MARGIN}\" y=\"42\">{}</text>", escape(&picture.title));
    let _ = writeln!(out, "<text class=\"small dim\" x=\"{MARGIN}\" y=\"62\">{}</text>", escape(&picture.subtitle));
    let mut x = MARGIN;
    for kind in &picture.legend {
        let (name, text) = (kind.proc_name(), kind.to_string());
        let _ = writeln!(
            out,
            "<circle class=\"f-{name}\" cx=\"{:.1}\" cy=\"82\" r=\"4.5\"/><text class=\"small\" x=\"{:.1}\" y=\"85.7\">{text}</text>",
            x + 4.5,
            x + 14.0
        );
        x += 14.0 + text_width(&text, SMALL) + 18.0;
    }
}

fn draw_line(out: &mut String, line: &Line) {
    let ((x1, y1), (x2, y2)) = (line.from, line.to);
    // Both ends on the same side: out, and back again.
    let bend = if (x1 - x2).abs() < 1.0 { 28.0 + ((y1 - y2).abs() / 6.0).min(52.0) } else { (x2 - x1) * 0.5 };
    let back = if (x1 - x2).abs() < 1.0 { x2 + bend } else { x2 - bend };
    let class = match line.kind {
        Some(kind) => format!("line s-{}", kind.proc_name()),
        None => "wire".to_owned(),
    };
    let dashes = if line.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
    let _ = writeln!(
        out,
        "<path class=\"{class}\"{dashes} d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {back:.1} {y2:.1} {x2:.1} {y2:.1}\"/>",
        x1 + bend
    );
    if line.kind.is_none() {
        for (x, y) in [line.from, line.to] {
            let _ = writeln!(out, "<circle class=\"hub\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.2\"/>");
        }
    }
}

fn draw_card(out: &mut String, card: &Card) {
    let at = &card.at;
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect class=\"card\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"8\"/>\
         <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        escape(&card.hint),
        at.x,
        at.y,
        at.width,
        at.height,
        at.x + 12.0,
        at.y + 20.5,
        escape(&card.title)
    );
    for badge in &card.badges {
        let (name, at) = (badge.kind.proc_name(), &badge.at);
        let _ = writeln!(
            out,
            "<rect class=\"tint f-{name}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"9\"/>\
             <text class=\"small f-{name}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.x,
            at.y,
            at.width,
            at.height,
            at.x + 7.0,
            at.y + 12.6,
            escape(&badge.text)
        );
    }
    out.push_str("</g>\n");
}

fn draw_node(out: &mut String, node: &Node) {
    let (at, name) = (&node.at, node.kind.proc_name());
    let _ = writeln!(
        out,
        "<g><title>{hint}</title><rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"8\"/>\
         <rect class=\"tint f-{name}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"8\"/>\
         <rect class=\"edge s-{name}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"8\"/>\
         <text class=\"name f-{name}\" x=\"{tx:.1}\" y=\"{ty:.1}\">{title}</text>",
        hint = escape(&node.hint),
        x = at.x,
        y = at.y,
        w = at.width,
        h = at.height,
        tx = at.x + 12.0,
        ty = at.y + 20.0,
        title = escape(&node.title),
    );
    if !node.note.is_empty() {
        let _ = writeln!(
            out,
            "<text class=\"small dim\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.right() - 12.0,
            at.y + 19.5,
            escape(&node.note)
        );
    }
    for (n, port) in node.ports.iter().enumerate() {
        if let (true, Some(above)) = (port.indent, n.checked_sub(1).and_then(|n| node.ports.get(n))) {
            draw_trunk(out, above, port);
        }
        draw_port(out, port, at.right());
    }
    out.push_str("</g>\n");
}

fn draw_port(out: &mut String, port: &Port, right: f64) {
    let x = port.x + if port.indent { 16.0 } else { 0.0 };
    let state = if port.up { "up" } else { "down" };
    let _ = match port.bridge {
        true => writeln!(
            out,
            "<rect class=\"{state}\" x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\" rx=\"2\"/>",
            x,
            port.y - 4.5
        ),
        false => writeln!(out, "<circle class=\"{state}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.4\"/>", x + 4.5, port.y),
    };
    let weight = if port.bridge { " class=\"name\"" } else { "" };
    let _ =
        writeln!(out, "<text{weight} x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 16.0, port.y + 4.3, escape(&port.text));
    if !port.detail.is_empty() {
        let _ = writeln!(
            out,
            "<text class=\"small dim\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            right - 12.0,
            port.y + 3.8,
            escape(&port.detail)
        );
    }
}

/// From a bridge, or from its port above, down to a port.
fn draw_trunk(out: &mut String, above: &Port, port: &Port) {
    let from = if above.bridge { above.y + 4.5 } else { above.y };
    let _ = writeln!(
        out,
        "<path class=\"wire thin\" d=\"M{0:.1} {from:.1}V{1:.1}H{2:.1}\"/>",
        port.x + 4.5,
        port.y,
        port.x + 16.0
    );
}

/// Text of XML. What XML can't hold at all, a control character, is left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => {}
            char => out.push(char),
        }
    }
    out
}
