using Google.Protobuf;
using Google.Protobuf.Reflection;
using Millrace.Saql.Extensions;

namespace Millrace.Extensions.Protobuf;

/// <summary>
/// Protobuf messages to JSON, by registered descriptors. The content type names the message:
/// <c>application/x-protobuf; message=fleet.Reading</c>.
/// </summary>
internal sealed class ProtobufDecoder(IReadOnlyDictionary<string, MessageDescriptor> messages) : IBodyDecoder
{
    /// <summary>The names that Protobuf goes by.</summary>
    public static IReadOnlyList<string> MediaTypes { get; } =
        ["application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"];

    private static readonly string[] Parameters = ["message", "messagetype", "proto"];

    public byte[] ToJson(ReadOnlyMemory<byte> body, string contentType)
    {
        var name = MessageName(contentType) ?? throw new FormatException(
            $"The content type '{contentType}' names no message; write application/x-protobuf; message=NAME.");
        if (!messages.TryGetValue(name, out var message))
            throw new FormatException($"No descriptor of the message {name} is registered.");
        try
        {
            return ProtobufJson.Of(message, body);
        }
        catch (InvalidProtocolBufferException damaged)
        {
            throw new FormatException($"It is no {name}: {damaged.Message}", damaged);
        }
    }

    private static string? MessageName(string contentType)
    {
        foreach (var part in contentType.Split(';').Skip(1))
        {
            var equals = part.IndexOf('=');
            if (equals > 0 && Parameters.Contains(part[..equals].Trim().ToLowerInvariant()))
                return part[(equals + 1)..].Trim().Trim('"');
        }

        return null;
    }
}
