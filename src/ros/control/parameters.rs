//! The six parameter services: everything can be read, nothing can be set.
//!
//! They are our own because r2r's handler accepts any write, and because it panics when an answer
//! cannot be sent.

use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use r2r::rcl_interfaces::msg::{
    ListParametersResult, ParameterDescriptor, ParameterValue, SetParametersResult,
};
use r2r::rcl_interfaces::srv::{
    DescribeParameters, GetParameterTypes, GetParameters, ListParameters, SetParameters,
    SetParametersAtomically,
};
use r2r::{Node, QosProfile, ServiceRequest, WrappedServiceTypeSupport};

use super::Tasks;
use crate::config::value::{FlatMap, Value};

/// Why no parameter can be set.
const READ_ONLY: &str = "every parameter of interlock is read-only while it runs, so that nothing \
     on the graph can loosen it; change the params file and restart the node";

/// ROS's separator in parameter names, and its "any depth".
const SEPARATOR: char = '.';
const DEPTH_RECURSIVE: u64 = 0;

/// The parameters by name.
struct Parameters(Vec<(String, ParameterValue)>);

/// Offers the six services.
pub(super) fn serve(
    node: &mut Node,
    tasks: &mut Tasks,
    parameters: &FlatMap,
) -> Result<(), r2r::Error> {
    let parameters = Arc::new(Parameters::new(parameters));
    offer::<GetParameters::Service>(node, tasks, "~/get_parameters", {
        let parameters = parameters.clone();
        move |request| GetParameters::Response {
            values: request.names.iter().map(|name| parameters.value(name)).collect(),
        }
    })?;
    offer::<GetParameterTypes::Service>(node, tasks, "~/get_parameter_types", {
        let parameters = parameters.clone();
        move |request| GetParameterTypes::Response {
            types: request.names.iter().map(|name| parameters.value(name).type_).collect(),
        }
    })?;
    offer::<DescribeParameters::Service>(node, tasks, "~/describe_parameters", {
        let parameters = parameters.clone();
        move |request| DescribeParameters::Response {
            descriptors: request.names.iter().map(|name| parameters.describe(name)).collect(),
        }
    })?;
    offer::<ListParameters::Service>(node, tasks, "~/list_parameters", move |request| {
        ListParameters::Response { result: parameters.list(&request.prefixes, request.depth) }
    })?;
    offer::<SetParameters::Service>(node, tasks, "~/set_parameters", |request| {
        SetParameters::Response { results: request.parameters.iter().map(|_| refused()).collect() }
    })?;
    offer::<SetParametersAtomically::Service>(node, tasks, "~/set_parameters_atomically", |_| {
        SetParametersAtomically::Response { result: refused() }
    })
}

fn offer<T>(
    node: &mut Node,
    tasks: &mut Tasks,
    name: &'static str,
    answer: impl Fn(&T::Request) -> T::Response + Send + Sync + 'static,
) -> Result<(), r2r::Error>
where
    T: WrappedServiceTypeSupport + 'static,
    T::Request: Send + Sync,
    T::Response: Send,
{
    let mut requests = node.create_service::<T>(name, QosProfile::services_default())?;
    let task = async move {
        while let Some(request) = requests.next().await {
            let request: ServiceRequest<T> = request;
            let response = answer(&request.message);
            if let Err(error) = request.respond(response) {
                tracing::warn!(service = name, %error, "an answer could not be sent");
            }
        }
    };
    tasks.push(task.boxed());
    Ok(())
}

fn refused() -> SetParametersResult {
    SetParametersResult { successful: false, reason: READ_ONLY.to_owned() }
}

impl Parameters {
    fn new(map: &FlatMap) -> Self {
        Self(map.iter().map(|(name, entry)| (name.to_owned(), value(&entry.value))).collect())
    }

    fn find(&self, name: &str) -> Option<&ParameterValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// "Not set" for a name that is not there, as ROS wants.
    fn value(&self, name: &str) -> ParameterValue {
        self.find(name).cloned().unwrap_or_default()
    }

    fn describe(&self, name: &str) -> ParameterDescriptor {
        ParameterDescriptor {
            name: name.to_owned(),
            type_: self.value(name).type_,
            description: READ_ONLY.to_owned(),
            read_only: true,
            ..Default::default()
        }
    }

    fn list(&self, prefixes: &[String], depth: u64) -> ListParametersResult {
        let separators = |name: &str| name.matches(SEPARATOR).count();
        let within = |name: &str| {
            depth == DEPTH_RECURSIVE
                || u64::try_from(separators(name)).is_ok_and(|count| count < depth)
        };
        let listed = |name: &str| {
            if prefixes.is_empty() {
                return within(name);
            }
            prefixes.iter().any(|prefix| {
                name == prefix
                    || name
                        .strip_prefix(prefix.as_str())
                        .and_then(|rest| rest.strip_prefix(SEPARATOR))
                        .is_some_and(within)
            })
        };
        let names: Vec<String> =
            self.0.iter().map(|(name, _)| name).filter(|name| listed(name)).cloned().collect();
        let mut found: Vec<String> = names
            .iter()
            .filter_map(|name| name.rsplit_once(SEPARATOR))
            .map(|(prefix, _)| prefix.to_owned())
            .collect();
        found.sort();
        found.dedup();
        ListParametersResult { names, prefixes: found }
    }
}

/// A value in ROS's message; the numbers are those of `rcl_interfaces/ParameterType`.
fn value(value: &Value) -> ParameterValue {
    let mut out = ParameterValue::default();
    match value {
        Value::Bool(value) => (out.type_, out.bool_value) = (1, *value),
        Value::Int(value) => (out.type_, out.integer_value) = (2, *value),
        Value::Double(value) => (out.type_, out.double_value) = (3, *value),
        Value::String(value) => (out.type_, out.string_value) = (4, value.clone()),
        Value::BoolArray(values) => (out.type_, out.bool_array_value) = (6, values.clone()),
        Value::IntArray(values) => (out.type_, out.integer_array_value) = (7, values.clone()),
        Value::DoubleArray(values) => (out.type_, out.double_array_value) = (8, values.clone()),
        Value::StringArray(values) => (out.type_, out.string_array_value) = (9, values.clone()),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        let map = FlatMap::from_rcl([
            ("schema".to_owned(), Value::Int(1)),
            ("lanes.base.output".to_owned(), Value::String("cmd_vel".to_owned())),
            ("lanes.base.release_s".to_owned(), Value::Double(1.0)),
        ]);
        Parameters::new(&map)
    }

    #[test]
    fn when_read_expect_the_type_and_the_value_and_not_set_for_others() {
        assert_eq!(parameters().value("schema").integer_value, 1);
        assert_eq!(parameters().value("lanes.base.output").type_, 4);
        assert_eq!(parameters().value("lanes.base").type_, 0);
        assert!(parameters().describe("schema").read_only);
    }

    #[test]
    fn when_listed_expect_prefixes_and_depth_as_ros_has_them() {
        let all = parameters().list(&[], 0);
        assert_eq!(all.names.len(), 3);
        assert_eq!(all.prefixes, ["lanes.base"]);
        assert_eq!(parameters().list(&[], 1).names, ["schema"]);
        assert_eq!(parameters().list(&["lanes.base".to_owned()], 1).names.len(), 2);
        assert_eq!(parameters().list(&["lanes".to_owned()], 1).names.len(), 0);
        assert_eq!(parameters().list(&["lan".to_owned()], 0).names.len(), 0);
    }
}
