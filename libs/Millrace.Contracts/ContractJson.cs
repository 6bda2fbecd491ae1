using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Contracts;

/// <summary>How contract records are written as JSON: camelCase, nulls left out, times ISO 8601.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LifecycleEvent))]
[JsonSerializable(typeof(ControlNotice))]
[JsonSerializable(typeof(DeadLetter))]
[JsonSerializable(typeof(AlertRow))]
[JsonSerializable(typeof(OutputRow))]
public sealed partial class ContractJson : JsonSerializerContext;
