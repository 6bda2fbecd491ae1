using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Millrace.Extensions.Protobuf;

/// <summary>The wire format to values. Fields that the descriptor does not know are passed over.</summary>
internal static class MessageReader
{
    private const int DepthMax = 64;

    public static MessageFields Read(MessageDescriptor message, byte[] bytes)
    {
        using var input = new CodedInputStream(bytes);
        return Read(message, input, 0);
    }

    private static MessageFields Read(MessageDescriptor message, CodedInputStream input, int depth)
    {
        if (depth > DepthMax) throw new FormatException($"The message nests more than {DepthMax} levels deep.");
        var fields = new MessageFields(message);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            var field = message.FindFieldByNumber(WireFormat.GetTagFieldNumber(tag));
            if (field is null || !TryRead(field, WireFormat.GetTagWireType(tag), input, fields, depth))
                input.SkipLastField();
        }

        return fields;
    }

    /// <summary>False when the wire type is not the field's.</summary>
    private static bool TryRead(
        FieldDescriptor field, WireFormat.WireType wire, CodedInputStream input, MessageFields fields, int depth)
    {
        var own = Scalars.WireType(field.FieldType);
        if (wire == WireFormat.WireType.LengthDelimited && field.IsRepeated && own != wire)
        {
            using var packed = input.ReadBytes().CreateCodedInput();
            while (!packed.IsAtEnd) fields.Add(field, Scalars.Read(field, packed));
            return true;
        }

        if (wire != own || wire == WireFormat.WireType.StartGroup) return false;
        if (field.FieldType != FieldType.Message)
        {
            fields.Add(field, Scalars.Read(field, input));
            return true;
        }

        using var inner = input.ReadBytes().CreateCodedInput();
        var message = Read(field.MessageType, inner, depth + 1);
        if (!field.IsRepeated && fields.Last(field) is MessageFields earlier) earlier.Merge(message);
        else fields.Add(field, message);
        return true;
    }
}
