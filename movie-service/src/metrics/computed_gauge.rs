//! Identical in every service (a test compares the copies).
//!
//! A gauge whose values are computed when it is read, such as the size of a pool.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

/// One value with its labels.
pub type Reading = (&'static [(&'static str, &'static str)], f64);

/// The gauge.
pub struct ComputedGauge {
    name: &'static str,
    help: &'static str,
    read: Box<dyn Fn() -> Vec<Reading> + Send + Sync>,
}

impl ComputedGauge {
    /// A gauge that calls `read` each time.
    pub fn new(
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> Vec<Reading> + Send + Sync + 'static,
    ) -> Self {
        Self { name, help, read: Box::new(read) }
    }
}

impl fmt::Debug for ComputedGauge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ComputedGauge").field(&self.name).finish()
    }
}

impl Collector for ComputedGauge {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut gauge = encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?;
        for (labels, value) in (self.read)() {
            ConstGauge::new(value).encode(gauge.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
