use std::fmt::Write;

use crate::report::canvas::Ink;

/// The style sheet: the drawings' colours as custom properties, and the page's layout.
pub(super) fn sheet() -> String {
    let light = properties(Ink::light);
    let dark = properties(Ink::dark);
    format!(
        ":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n\
         @media print{{:root{{{light}}}}}\n{LAYOUT}"
    )
}

fn properties(color: impl Fn(Ink) -> (u8, u8, u8)) -> String {
    Ink::ALL.iter().fold(String::new(), |mut out, ink| {
        let (r, g, b) = color(*ink);
        let _ = write!(out, "--{}:#{r:02x}{g:02x}{b:02x};", ink.name());
        out
    })
}

const LAYOUT: &str = r#"*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--text);font:16px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.015em;margin:0}
h2{font-size:19px;letter-spacing:-.01em;margin:52px 0 6px;padding-top:16px;border-top:1px solid var(--faint)}
p{margin:6px 0 12px;max-width:80ch}
td:first-child{white-space:nowrap}
a{color:var(--accent)}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.kicker{color:var(--muted);font-size:13px;letter-spacing:.06em;text-transform:uppercase;margin:0 0 6px}
.top{display:flex;flex-wrap:wrap;gap:10px 18px;align-items:center}
.facts{color:var(--muted);font-size:14px;margin:8px 0 0;max-width:none}
.badge{display:inline-block;font-size:14px;font-weight:600;padding:3px 12px;border-radius:999px;border:1.5px solid;white-space:nowrap}
.badge.good{color:var(--good)}
.badge.fair{color:var(--muted)}
.badge.bad{color:var(--bad)}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:26px 0 10px;padding:0}
.number{background:var(--panel);border:1px solid var(--faint);border-radius:10px;padding:14px 16px}
.number dt{font-size:13px;color:var(--muted)}
.number dd{margin:0}
.number .value{font-size:30px;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;line-height:1.25}
.number .small{font-size:12px;color:var(--muted)}
abbr[title]{text-decoration:underline dotted;text-underline-offset:3px;cursor:help}
.note{background:var(--panel);border:1px solid var(--faint);border-radius:10px;padding:14px 18px;margin:24px 0 10px}
.note p{margin:0}
.small{font-size:13.5px;color:var(--muted)}
.row{display:flex;flex-wrap:wrap;gap:8px 40px;align-items:flex-start}
figure{margin:14px 0 8px;min-width:0}
.drawing{overflow-x:auto}
.drawing svg{display:block;max-width:100%;height:auto;font-family:inherit}
figcaption{font-size:13.5px;line-height:1.5;color:var(--muted);max-width:80ch;margin-top:8px}
table{border-collapse:collapse;font-size:14px;width:100%}
.scroll{overflow-x:auto;margin:10px 0}
th,td{text-align:left;vertical-align:top;padding:7px 16px 7px 0;border-bottom:1px solid var(--faint)}
th{font-weight:600;color:var(--muted);font-size:13px;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tfoot td{font-weight:600;border-bottom:0}
tfoot .small{font-weight:400;font-size:12px}
.runs th{white-space:normal;vertical-align:bottom}
.runs .badge{font-size:12.5px;padding:1px 9px}
td.wrap{overflow-wrap:anywhere}
ul{margin:8px 0;padding-left:20px;max-width:80ch}
details{margin:14px 0;border:1px solid var(--faint);border-radius:10px;background:var(--panel)}
summary{cursor:pointer;padding:10px 16px;font-weight:600;font-size:15px}
pre{margin:0;padding:4px 18px 16px;overflow-x:auto}
footer{margin-top:56px;color:var(--muted);font-size:13px}
@media (max-width:620px){main{padding:24px 14px 48px}h1{font-size:24px}.number .value{font-size:24px}.drawing svg{max-width:none}}
"#;
