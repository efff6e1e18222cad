//! A check against the JSON schemas in `schema/`: as much of the language as they use, and a word that
//! is not known here is an error, not something to pass over.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where the schemas are.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema")
}

/// Panics, and says where, unless the value is as the schema of this verb says, or its definition of
/// this name: `netns list`.
#[track_caller]
pub fn check(what: &str, value: &Value) {
    let (verb, definition) = what.split_once(' ').map_or((what, None), |(verb, name)| (verb, Some(name)));
    let path = directory().join(format!("{verb}.schema.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let part = definition.map_or(&schema, |name| &schema["$defs"][name]);
    if let Err(error) = fits(value, part, &schema, "") {
        panic!("{what}: {error}\n{value:#}");
    }
}

fn fits(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let words = schema.as_object().ok_or(format!("{at}: the schema is no object"))?;
    for (word, wanted) in words {
        match word.as_str() {
            "$schema" | "$defs" | "title" | "description" | "required" | "additionalProperties" => {}
            "$ref" => {
                let place = wanted.as_str().and_then(|text| text.strip_prefix('#')).and_then(|text| root.pointer(text));
                fits(value, place.ok_or(format!("{at}: there is no {wanted}"))?, root, at)?;
            }
            "type" => {
                let types = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                if !types.iter().any(|name| is_of_type(value, name.as_str().unwrap_or_default())) {
                    return Err(format!("{at}: {value} is not of type {wanted}"));
                }
            }
            "enum" => {
                if !wanted.as_array().is_some_and(|all| all.contains(value)) {
                    return Err(format!("{at}: {value} is none of {wanted}"));
                }
            }
            "anyOf" => {
                let all = wanted.as_array().ok_or(format!("{at}: anyOf is no array"))?;
                let errors: Vec<String> = all.iter().filter_map(|one| fits(value, one, root, at).err()).collect();
                if errors.len() == all.len() {
                    return Err(format!("{at}: none of these fits: {}", errors.join("; ")));
                }
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    fits(item, wanted, root, &format!("{at}/{n}"))?;
                }
            }
            "properties" => properties(value, wanted, schema, root, at)?,
            other => return Err(format!("{at}: the schema says {other:?}, which nothing here checks")),
        }
    }
    Ok(())
}

fn properties(value: &Value, properties: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Ok(()) };
    for (key, value) in object {
        match properties.get(key) {
            Some(schema) => fits(value, schema, root, &format!("{at}/{key}"))?,
            None if schema["additionalProperties"] == false => {
                return Err(format!("{at}: nothing is known of {key:?}"));
            }
            None => {}
        }
    }
    let required = schema["required"].as_array().into_iter().flatten();
    let missing = required.filter_map(Value::as_str).find(|key| !object.contains_key(*key));
    missing.map_or(Ok(()), |key| Err(format!("{at}: {key:?} is missing")))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
