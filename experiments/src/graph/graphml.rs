//! `GraphML`, as yEd, Gephi, networkx and igraph read it.

use std::fmt::Write;

use super::Graph;
use super::file::{Edges, Parsed};
use super::xml::{escape, tags};

pub(super) fn render(graph: &Graph) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n\
         <key id=\"name\" for=\"node\" attr.name=\"name\" attr.type=\"string\"/>\n\
         <key id=\"probability\" for=\"edge\" attr.name=\"probability\" attr.type=\"double\"/>\n\
         <graph edgedefault=\"directed\">\n",
    );
    for (number, name) in graph.names.iter().enumerate() {
        let name = escape(name);
        let _ = writeln!(text, "<node id=\"n{number}\"><data key=\"name\">{name}</data></node>");
    }
    for (from, to) in graph.learned.dag.edges() {
        let p = graph.learned.edge_probs[(from, to)];
        let _ = writeln!(
            text,
            "<edge source=\"n{from}\" target=\"n{to}\"><data key=\"probability\">{p}</data></edge>"
        );
    }
    text + "</graph>\n</graphml>\n"
}

/// Nodes, named by a `name` where they have one and else by their id, and directed edges.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let (mut ids, mut names, mut edges): (Vec<String>, Vec<String>, Edges) = Default::default();
    let tags = tags(text);
    if !tags.iter().any(|tag| tag.name == "graphml") {
        return Err("expected a graphml element, got none".into());
    }
    if tags.iter().any(|tag| tag.attribute("edgedefault") == Some("undirected")) {
        return Err("expected a directed graph, got edgedefault=\"undirected\"".into());
    }
    for tag in tags.iter().filter(|tag| tag.name == "node") {
        let id = tag.attribute("id").ok_or("a node: expected an id, got none")?;
        ids.push(id.to_owned());
    }
    let number = |id: Option<&str>| {
        let found = ids.iter().position(|known| Some(known.as_str()) == id);
        found.ok_or_else(|| format!("an edge: expected the id of a node, got {id:?}"))
    };
    let mut in_edge = false;
    for tag in &tags {
        match (tag.name.as_str(), tag.attribute("key")) {
            ("node", _) => {
                names.push(tag.attribute("id").unwrap_or_default().to_owned());
                in_edge = false;
            }
            ("edge", _) => {
                let ends = (tag.attribute("source"), tag.attribute("target"));
                edges.push((number(ends.0)?, number(ends.1)?, 1.0));
                in_edge = true;
            }
            ("data", Some("name")) if !in_edge => {
                if let Some(name) = names.last_mut() {
                    tag.text.clone_into(name);
                }
            }
            ("data", Some("probability")) => {
                let p: Option<f64> = tag.text.trim().parse().ok();
                if let (Some(edge), Some(p)) = (edges.last_mut(), p) {
                    edge.2 = p;
                }
            }
            _ => {}
        }
    }
    Ok(Parsed { names, edges })
}
