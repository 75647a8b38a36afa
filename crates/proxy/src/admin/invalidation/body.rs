//! The bodies of requests, read so that whatever is wrong is named by its field.

use std::collections::BTreeMap;
use std::fmt;

use axum::body::{Body, to_bytes};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::refused::Refused;
use crate::admin::answer::BadField;

/// Bytes of a body.
const MOST: usize = 256 << 10;

/// Reads the object that a body holds.
pub(super) async fn read(body: Body) -> Result<Fields, Refused> {
    let bytes = to_bytes(body, MOST).await.map_err(|failed| match is_too_long(&failed) {
        true => Refused::TooLarge(MOST),
        false => BadField::new("body", "broke off").into(),
    })?;
    Ok(Fields::parse(&bytes)?)
}

fn is_too_long(error: &axum::Error) -> bool {
    use std::error::Error;
    error.source().is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

/// A JSON value in which every object names each of its fields once.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Flag(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

/// The fields of an object, and where it stands in the body.
#[derive(Debug)]
pub(super) struct Fields {
    place: String,
    left: BTreeMap<String, Tree>,
}

impl Fields {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, BadField> {
        let tree: Tree = serde_json::from_slice(bytes)
            .map_err(|error| BadField::new("body", format!("is no usable JSON: {error}")))?;
        Self::of(String::new(), tree)
    }

    pub(super) fn of(place: String, tree: Tree) -> Result<Self, BadField> {
        match tree {
            Tree::Object(left) => Ok(Self { place, left }),
            _ if place.is_empty() => Err(BadField::new("body", "must be a JSON object")),
            _ => Err(BadField::new(place, "must be an object")),
        }
    }

    /// Refuses what is not in `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), BadField> {
        match self.left.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let short: String = name.chars().take(64).collect();
                let reason = format!("is not known here; known are {}", known.join(", "));
                Err(BadField::new(self.name(&short), reason))
            }
        }
    }

    /// Where the object stands.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The full name of a field.
    pub(super) fn name(&self, field: &str) -> String {
        match &*self.place {
            "" => field.to_owned(),
            place => format!("{place}.{field}"),
        }
    }

    pub(super) fn take(&mut self, field: &str) -> Option<Tree> {
        self.left.remove(field)
    }

    pub(super) fn text(&mut self, field: &str) -> Result<Option<String>, BadField> {
        let tree = self.take(field);
        tree.map(|tree| tree.text(&self.name(field))).transpose()
    }

    /// A flag that is off when it is not there.
    pub(super) fn flag(&mut self, field: &str) -> Result<bool, BadField> {
        match self.take(field) {
            None => Ok(false),
            Some(Tree::Flag(flag)) => Ok(flag),
            Some(_) => Err(BadField::new(self.name(field), "must be true or false")),
        }
    }

    /// The members of a list, each with its full name.
    pub(super) fn list(&mut self, field: &str) -> Result<Option<Vec<(String, Tree)>>, BadField> {
        let name = self.name(field);
        match self.take(field) {
            None => Ok(None),
            Some(Tree::List(members)) => {
                let named = |(i, member)| (format!("{name}[{i}]"), member);
                Ok(Some(members.into_iter().enumerate().map(named).collect()))
            }
            Some(_) => Err(BadField::new(name, "must be a list")),
        }
    }

    pub(super) fn object(&mut self, field: &str) -> Result<Option<Self>, BadField> {
        let tree = self.take(field);
        tree.map(|tree| Self::of(self.name(field), tree)).transpose()
    }
}

impl Tree {
    /// This as a text, if it is one; `name` is the field's.
    pub(super) fn text(self, name: &str) -> Result<String, BadField> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(BadField::new(name, "must be a text")),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Grow)
    }
}

struct Grow;

impl<'de> Visitor<'de> for Grow {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree, E> {
        Ok(Tree::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(serde_json::Number::from_f64(number).map_or(Tree::Null, Tree::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Tree, E> {
        Ok(Tree::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_element()? {
            list.push(member);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = members.next_entry::<String, Tree>()? {
            if fields.insert(name, value).is_some() {
                // Which one was meant is anybody's guess.
                return Err(A::Error::custom("a field comes twice"));
            }
        }
        Ok(Tree::Object(fields))
    }
}
