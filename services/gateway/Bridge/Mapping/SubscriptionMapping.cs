using System.Text;
using Millrace.Primitives;

namespace Millrace.Gateway.Bridge.Mapping;

/// <summary>One subscription's pattern and templates.</summary>
internal sealed class SubscriptionMapping
{
    private readonly MessageTemplate _deviceId;
    private readonly MessageTemplate? _moduleId;
    private readonly MessageTemplate? _contentType;
    private readonly (byte[] Name, MessageTemplate Template)[] _properties;
    private readonly JsonPath? _body;

    /// <summary>Of options that were found valid.</summary>
    public SubscriptionMapping(BridgeSubscriptionOptions options)
    {
        Pattern = NamedFilter.TryParse(options.Topic)!;
        _deviceId = MessageTemplate.TryParse(options.DeviceId)!;
        _moduleId = Optional(options.ModuleId);
        _contentType = Optional(options.ContentType);
        _properties = [.. options.Properties.Select(property =>
            (Encoding.UTF8.GetBytes(property.Key), MessageTemplate.TryParse(property.Value)!))];
        _body = options.Body.Length == 0 ? null : JsonPath.TryParse(options.Body);
    }

    public NamedFilter Pattern { get; }

    /// <summary>Templates of a message whose topic matched.</summary>
    /// <param name="offending">What was missing or not valid.</param>
    public MappingFailure Map(
        byte[] topic, IReadOnlyList<(string Name, string Value)> levels, ReadOnlyMemory<byte> body,
        out MappedMessage? message, out string? offending)
    {
        message = null;
        using var fields = new MessageFields(levels, body);
        if (!TryRender(_deviceId, fields, out var deviceId, out offending)) return MappingFailure.FieldMissing;
        if (!DeviceId.IsValid(deviceId)) return Failed(MappingFailure.DeviceIdInvalid, deviceId, out offending);
        if (!TryRender(_moduleId, fields, out var module, out offending)) return MappingFailure.FieldMissing;
        if (module is { Length: 0 or > DeviceId.LengthMax })
            return Failed(MappingFailure.ModuleIdInvalid, module, out offending);
        if (!TryRender(_contentType, fields, out var contentType, out offending)) return MappingFailure.FieldMissing;
        var properties = new (byte[], byte[])[_properties.Length];
        for (var i = 0; i < properties.Length; i++)
        {
            if (!TryRender(_properties[i].Template, fields, out var value, out offending))
                return MappingFailure.FieldMissing;
            properties[i] = (_properties[i].Name, Encoding.UTF8.GetBytes(value!));
        }

        var field = _body is null ? null : fields.Body(_body);
        if (_body is not null && field is null) return Failed(MappingFailure.FieldMissing, "Body", out offending);
        message = new MappedMessage(topic, Encoding.UTF8.GetBytes(deviceId!), Bytes(module), Bytes(contentType),
            properties, field ?? body);
        return MappingFailure.None;
    }

    private static MappingFailure Failed(MappingFailure failure, string? value, out string? offending)
    {
        offending = value;
        return failure;
    }

    private static bool TryRender(
        MessageTemplate? template, MessageFields fields, out string? text, out string? missing)
    {
        (text, missing) = (null, null);
        if (template is null) return true;
        var target = new StringBuilder();
        missing = template.Render(target, fields);
        text = target.ToString();
        return missing is null;
    }

    private static byte[]? Bytes(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    private static MessageTemplate? Optional(string text) =>
        text.Length == 0 ? null : MessageTemplate.TryParse(text);
}
