using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Extensions;

/// <summary>What this installation adds to the query language. Section "Queries:Extensions".</summary>
public sealed class QueryExtensionOptions
{
    /// <summary>
    /// Functions by the name after <c>UDF.</c>, each as <c>FILE.dll::Namespace.Type.Method</c>: a public static method
    /// of a C# assembly.
    /// </summary>
    public Dictionary<string, string> Functions { get; set; } = [];

    /// <summary>
    /// Decoders of bodies by media type, each as <c>FILE.dll::Namespace.Type.Method</c>: a public static method that
    /// takes the body (and the content type, if it wants it) and gives JSON.
    /// </summary>
    public Dictionary<string, string> Decoders { get; set; } = [];

    /// <summary>
    /// Files of Protobuf descriptors, as <c>protoc --include_imports --descriptor_set_out</c> writes them.
    /// </summary>
    public List<string> Descriptors { get; set; } = [];

    /// <summary>
    /// The content type of records that say none, by the name after FROM, such as
    /// <c>"telemetry": "application/x-protobuf; message=fleet.Reading"</c>.
    /// </summary>
    public Dictionary<string, string> ContentTypes { get; set; } = [];

    /// <summary>Reference data by the name after JOIN, each with where it lives.</summary>
    public Dictionary<string, ReferenceOptions> References { get; set; } = [];

    /// <summary>How long one call of a function or a decoder may take; then its row fails.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan FunctionTimeout { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How much memory one call of a function or a decoder may take; more fails its row.</summary>
    public ByteSize FunctionBytesMax { get; set; } = ByteSize.FromMiB(16);

    /// <summary>
    /// Calls that may be left behind because they do not return; then the function or decoder is not called any more.
    /// </summary>
    [Range(1, 1000)]
    public int FunctionCallsLostMax { get; set; } = 4;
}
