//! What a caller may do.

use axum::http::Method;

use super::Identity;

/// The scope of those who run the platform.
const ADMIN: &str = "admin";

/// Whether `identity` may send `method` to a canonical path: writes to the catalogue and to what steers recommendations
/// need the scope `admin`, and what belongs to a user is for that user and for admins.
pub fn is_permitted(identity: &Identity, method: &Method, path: &str) -> bool {
    identity.has_scope(ADMIN) || is_open(identity.subject(), method, path)
}

fn is_open(subject: &str, method: &Method, path: &str) -> bool {
    let mut segments = path.strip_prefix("/api/v1/").unwrap_or_default().split('/');
    match (segments.next(), segments.next().filter(|id| !id.is_empty())) {
        (Some("movies" | "admin" | "rules" | "models" | "experiments"), _) => method.is_safe(),
        (Some("users"), Some(id)) => is_number(id) && id == subject,
        _ => true,
    }
}

/// Services read `+7` and `007` as 7 too, so that only one spelling is compared.
fn is_number(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit()) && !id.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(subject: &str, scope: &str, method: &str, path: &str) -> bool {
        let identity = Identity::new(subject, vec![scope.to_owned()]).expect("a legal subject");
        is_permitted(&identity, &method.parse().expect("a method"), path)
    }

    #[test]
    fn writes_to_shared_data_need_the_scope_admin() {
        for path in
            ["movies", "movies/1", "movies/bulk", "admin/sync", "rules", "rules/1", "models/train", "experiments"]
        {
            let path = format!("/api/v1/{path}");
            for method in ["POST", "PUT", "PATCH", "DELETE", "PURGE"] {
                assert!(!permitted("7", "", method, &path), "{method} {path}");
                assert!(!permitted("7", "administrator", method, &path), "{method} {path}");
                assert!(permitted("7", "admin", method, &path), "{method} {path}");
            }
            assert!(permitted("7", "", "GET", &path) && permitted("7", "", "HEAD", &path), "{path}");
        }
    }

    #[test]
    fn a_user_is_for_that_user_and_admins() {
        for path in ["users/7", "users/7/", "users/7/preferences", "users/7/recommendations/history"] {
            let path = format!("/api/v1/{path}");
            for method in ["GET", "POST", "DELETE"] {
                assert!(permitted("7", "", method, &path), "{method} {path}");
                assert!(!permitted("8", "", method, &path), "{method} {path}");
                assert!(permitted("8", "admin", method, &path), "{method} {path}");
            }
        }
    }

    #[test]
    fn another_spelling_of_an_id_is_nobody_s() {
        for id in ["07", "+7", "-7", "0", "%2B7", "seven", "7x"] {
            assert!(!permitted(id, "", "GET", &format!("/api/v1/users/{id}")), "{id}");
            assert!(!permitted("7", "", "GET", &format!("/api/v1/users/{id}")), "{id}");
        }
    }

    #[test]
    fn everything_else_is_open_to_whoever_has_a_token() {
        for (method, path) in [
            ("POST", "/api/v1/users"),
            ("POST", "/api/v1/users/"),
            ("GET", "/api/v1/genres"),
            ("POST", "/api/v1/recommendations/5f2c/events"),
            ("GET", "/nowhere"),
        ] {
            assert!(permitted("7", "", method, path), "{method} {path}");
        }
    }
}
