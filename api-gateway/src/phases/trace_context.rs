//! `traceparent` (W3C Trace Context, level 1): a client's trace is continued, otherwise a new one begins here.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use tracing::Span;

use crate::otlp;

use super::request_id::hex;

/// The header that names a trace and the caller within it.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Vendors' own data about the trace; worth nothing without [`TRACEPARENT`].
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// The flags that are defined: sampled, and random trace id (level 2).
const KNOWN_FLAGS: u8 = 0b11;
const SAMPLED: u8 = 0b01;
/// `00-`, 32 digits of the trace id, `-`, 16 of the parent id, `-`, 2 of the flags.
const LENGTH: usize = 55;

/// Where a request stands in its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 32],
    flags: u8,
}

impl TraceContext {
    /// Continues the trace that the headers name, or begins one when they name none that is valid. The services get a
    /// new parent id either way; a `tracestate` stays only with the trace it belongs to.
    pub fn propagate(headers: &mut HeaderMap) -> Self {
        let context = Self::of(headers).unwrap_or_else(|| Self::begin(headers));
        headers.insert(TRACEPARENT, context.with_new_parent());
        context
    }

    /// The same where traces are sent: `span` is the new parent.
    pub fn propagate_from(span: &Span, headers: &mut HeaderMap) -> Self {
        if Self::of(headers).is_none() {
            headers.remove(TRACEPARENT);
            headers.remove(TRACESTATE);
        }
        otlp::continue_trace(span, headers);
        // A span that is not recorded has no id.
        Self::of(headers).unwrap_or_else(|| Self::propagate(headers))
    }

    /// The trace that the headers name, if that is a valid one.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.as_bytes()),
            _ => None,
        }
    }

    fn begin(headers: &mut HeaderMap) -> Self {
        headers.remove(TRACESTATE);
        Self { trace_id: hex(rand::random::<u128>().max(1)), flags: SAMPLED }
    }

    /// The id of the trace in hexadecimal.
    pub fn trace_id(&self) -> &str {
        std::str::from_utf8(&self.trace_id).expect("hexadecimal digits are ASCII")
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (fields, rest) = value.split_at_checked(LENGTH)?;
        let (version, trace_id, parent_id) = (&fields[..2], &fields[3..35], &fields[36..52]);
        let is_hex = |digits: &[u8]| digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let is_id = |digits: &[u8]| is_hex(digits) && digits.iter().any(|digit| *digit != b'0');
        let dashes = [fields[2], fields[35], fields[52]] == [b'-'; 3];
        // Later versions may append fields.
        let version_fits = version == b"00" && rest.is_empty()
            || is_hex(version) && !matches!(version, b"00" | b"ff") && matches!(rest.first(), None | Some(b'-'));
        if !(dashes && version_fits && is_id(trace_id) && is_id(parent_id) && is_hex(&fields[53..])) {
            return None;
        }
        let flags = u8::from_str_radix(std::str::from_utf8(&fields[53..]).ok()?, 16).ok()?;
        Some(Self { trace_id: trace_id.try_into().ok()?, flags: flags & KNOWN_FLAGS })
    }

    fn with_new_parent(&self) -> HeaderValue {
        let parent_id: [u8; 16] = hex(rand::random::<u64>().max(1).into());
        let flags: [u8; 2] = hex(self.flags.into());
        let value = [b"00-", &self.trace_id[..], b"-", &parent_id, b"-", &flags].concat();
        HeaderValue::from_bytes(&value).expect("hexadecimal digits and dashes are legal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    /// What the services get for the `traceparent`s of a client.
    fn propagated(values: &[&str]) -> (String, HeaderMap) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().expect("a legal value"));
        }
        headers.insert(TRACESTATE, HeaderValue::from_static("vendor=1"));
        let context = TraceContext::propagate(&mut headers);
        assert_eq!(headers.get_all(TRACEPARENT).iter().count(), 1);
        let value = headers[TRACEPARENT].to_str().expect("ASCII").to_owned();
        assert_eq!((value.len(), &value[3..35]), (LENGTH, context.trace_id()));
        assert!(TraceContext::parse(value.as_bytes()).is_some(), "{value}");
        (value, headers)
    }

    #[test]
    fn a_valid_trace_is_continued_with_a_new_parent() {
        for (value, flags) in [
            (format!("00-{TRACE}-{PARENT}-01"), "01"),
            (format!("00-{TRACE}-{PARENT}-00"), "00"),
            (format!("00-{TRACE}-{PARENT}-ff"), "03"),
            (format!("cc-{TRACE}-{PARENT}-01"), "01"),
            (format!("cc-{TRACE}-{PARENT}-01-more"), "01"),
        ] {
            let (sent, headers) = propagated(&[&value]);
            assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with(flags), "{value} became {sent}");
            assert_ne!(&sent[36..52], PARENT);
            assert_eq!(headers[TRACESTATE], "vendor=1");
        }
    }

    #[test]
    fn an_absent_or_invalid_trace_is_replaced_by_a_new_one() {
        let valid = format!("00-{TRACE}-{PARENT}-01");
        let zeros = "0".repeat(32);
        for values in [
            &[][..],
            &[""],
            &["rubbish"],
            &[&valid, &valid],
            &[&valid.to_uppercase()],
            &[&valid[..54]],
            &[&format!("{valid}-more")],
            &[&format!("ff-{TRACE}-{PARENT}-01")],
            &[&format!("cc-{TRACE}-{PARENT}-01.more")],
            &[&format!("00-{zeros}-{PARENT}-01")],
            &[&format!("00-{TRACE}-{}-01", &zeros[..16])],
            &[&format!("00_{TRACE}-{PARENT}-01")],
            &[&format!("00-{TRACE}-{PARENT}-0x")],
        ] {
            let (sent, headers) = propagated(values);
            assert!(!sent.contains(TRACE) && sent.ends_with("-01"), "{values:?} became {sent}");
            assert!(!headers.contains_key(TRACESTATE), "{values:?}");
        }
    }
}
