using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.EventLog.Local;

/// <summary>How the log's own small records are written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TopicSpec))]
[JsonSerializable(typeof(GroupCommit))]
internal sealed partial class LocalJson : JsonSerializerContext;
