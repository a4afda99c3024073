//! An issuer of tokens with a key of each kind.

use std::{fs, path::PathBuf, time::SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaEncoding, RsaKeyPair,
    },
};
use serde_json::{Value, json};

use crate::support::GatewayBuilder;

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "movies";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Its keys are new, except the one for RSA, which would take seconds to make.
pub struct Issuer {
    random: SystemRandom,
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

impl Issuer {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self {
            ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap(),
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random).unwrap(),
            rsa: RsaKeyPair::from_pkcs8(include_bytes!("../fixtures/rsa_for_tests.pk8")).unwrap(),
            random,
        }
    }

    /// Its public keys, named `ed`, `ec` and `rsa`.
    pub fn key_set(&self) -> Value {
        let (rsa, point) = (self.rsa_components(), self.ec.public_key().as_ref());
        json!({"keys": [
            {"kid": "ed", "kty": "OKP", "crv": "Ed25519", "x": encode(self.ed.public_key())},
            {"kid": "ec", "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]), "use": "sig"},
            {"kid": "rsa", "kty": "RSA", "n": encode(&rsa.n), "e": encode(&rsa.e), "alg": "RS256"},
        ]})
    }

    pub fn rsa_components(&self) -> PublicKeyComponents<Vec<u8>> {
        self.rsa.public().into()
    }

    /// A signature by the key for an algorithm.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match algorithm {
            "EdDSA" => self.ed.sign(message).as_ref().to_vec(),
            "ES256" => self.ec.sign(&self.random, message).unwrap().as_ref().to_vec(),
            "RS256" => self.sign_rsa(&RSA_PKCS1_SHA256, message),
            "PS256" => self.sign_rsa(&RSA_PSS_SHA256, message),
            "HS256" => hmac(SECRET.as_bytes(), message),
            other => panic!("no key for {other}"),
        }
    }

    fn sign_rsa(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa.sign(encoding, &self.random, message, &mut signature).unwrap();
        signature
    }

    /// A token with `claims`, signed with the key for `algorithm` and naming the key `id`.
    pub fn token(&self, algorithm: &str, id: &str, claims: &Value) -> String {
        let header = json!({"alg": algorithm, "kid": id, "typ": "JWT"});
        token(&header.to_string(), &claims.to_string(), |message| self.sign(algorithm, message))
    }

    /// A token by EdDSA for a subject with a scope.
    pub fn token_for(&self, subject: &str, scope: &str) -> String {
        self.token("EdDSA", "ed", &claims(&[("sub", json!(subject)), ("scope", json!(scope))]))
    }

    /// A gateway that accepts its tokens, with the keys in a file.
    pub fn trusted_by(&self, builder: GatewayBuilder) -> GatewayBuilder {
        builder
            .set("AUTH_MODE", "jwt")
            .set("JWT_ISSUER", ISSUER)
            .set("JWT_AUDIENCE", AUDIENCE)
            .set("JWT_JWKS_FILE", self.key_file().display())
    }

    /// A new file with its public keys.
    pub fn key_file(&self) -> PathBuf {
        temporary_file("keys", &self.key_set().to_string())
    }
}

/// A new file with `text`.
pub fn temporary_file(name: &str, text: &str) -> PathBuf {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// A token of any header and payload.
pub fn token(header: &str, payload: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a valid token for the subject `7`, with some set to other values, or left out when they are null.
pub fn claims(changes: &[(&str, Value)]) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "7", "exp": now() + 600});
    for (name, value) in changes {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(*name),
            value => claims.as_object_mut().unwrap().insert((*name).to_owned(), value.clone()),
        };
    }
    claims
}
