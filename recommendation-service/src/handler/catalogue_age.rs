//! The age of the copy of the catalogue, as answers say it while movie-service is away.

use std::time::Duration;

use bytes::Bytes;

/// Adds `catalogue_age_seconds` to a rendered object, if the copy that it was made from is outdated. Added when the answer is
/// sent, since a cached list is rendered earlier.
pub fn with_catalogue_age(object: Bytes, age: Option<Duration>) -> Bytes {
    match (age, object.strip_suffix(b"}")) {
        (Some(age), Some(fields)) => {
            let age = format!(r#","catalogue_age_seconds":{}}}"#, age.as_secs());
            [fields, age.as_bytes()].concat().into()
        }
        _ => object,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_the_last_field_of_the_object() {
        let object = Bytes::from_static(br#"{"a":{"b":1}}"#);
        let age = Some(Duration::from_millis(41_999));
        assert_eq!(with_catalogue_age(object.clone(), age), r#"{"a":{"b":1},"catalogue_age_seconds":41}"#);
        assert_eq!(with_catalogue_age(object.clone(), None), object);
    }
}
