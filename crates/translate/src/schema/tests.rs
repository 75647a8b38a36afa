use super::*;

fn patterns(schema: &JSONSchemaProps, found: &mut Vec<String>) {
    found.extend(schema.pattern.clone());
    for property in schema.properties.iter().flat_map(BTreeMap::values) {
        patterns(property, found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        patterns(items, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        patterns(values, found);
    }
}

#[test]
fn every_pattern_of_the_resources_is_known_in_words() {
    let mut found = Vec::new();
    for definition in crds::definitions() {
        patterns(&schema_of(definition), &mut found);
    }
    assert!(found.len() > 10);
    for pattern in found {
        assert!(check::by_pattern(&pattern, "").is_some(), "{pattern}");
    }
}

#[test]
fn suggests_what_is_near() {
    let suggest = |word: &str| did_you_mean(word, ["hosts", "origins", "key"].into_iter());
    assert_eq!(suggest("orgins"), "; did you mean `origins`?");
    assert_eq!(suggest("Hosts"), "; did you mean `hosts`?");
    assert_eq!(suggest("kye"), "; did you mean `key`?");
    assert_eq!(suggest("nothing"), "; known are `hosts`, `origins`, `key`");
    assert_eq!(did_you_mean(&"x".repeat(1 << 20), [].into_iter()), "");
}
