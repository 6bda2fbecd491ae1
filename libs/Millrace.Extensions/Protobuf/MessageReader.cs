using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Millrace.Extensions.Protobuf;

/// <summary>The wire format to values. Fields that the descriptor does not know are passed over.</summary>
internal static class MessageReader
{
    private const int DepthMax = 64;

    /// <summary>The most values of a body: one takes many times the byte of memory that it may be there.</summary>
    private const int ValuesMax = 500_000;

    public static MessageFields Read(MessageDescriptor message, byte[] bytes)
    {
        using var input = new CodedInputStream(bytes);
        var left = ValuesMax;
        return Read(message, input, 0, ref left);
    }

    private static MessageFields Read(MessageDescriptor message, CodedInputStream input, int depth, ref int left)
    {
        if (depth > DepthMax) throw new FormatException($"The message nests more than {DepthMax} levels deep.");
        var fields = new MessageFields(message);
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            var field = message.FindFieldByNumber(WireFormat.GetTagFieldNumber(tag));
            if (field is null || !TryRead(field, WireFormat.GetTagWireType(tag), input, fields, depth, ref left))
                input.SkipLastField();
        }

        return fields;
    }

    /// <summary>False when the wire type is not the field's.</summary>
    private static bool TryRead(
        FieldDescriptor field, WireFormat.WireType wire, CodedInputStream input, MessageFields fields, int depth,
        ref int left)
    {
        var own = Scalars.WireType(field.FieldType);
        if (wire == WireFormat.WireType.LengthDelimited && field.IsRepeated && own != wire)
        {
            using var packed = input.ReadBytes().CreateCodedInput();
            while (!packed.IsAtEnd)
            {
                CountOne(ref left);
                fields.Add(field, Scalars.Read(field, packed));
            }

            return true;
        }

        if (wire != own || wire == WireFormat.WireType.StartGroup) return false;
        CountOne(ref left);
        if (field.FieldType != FieldType.Message)
        {
            fields.Add(field, Scalars.Read(field, input));
            return true;
        }

        using var inner = input.ReadBytes().CreateCodedInput();
        var message = Read(field.MessageType, inner, depth + 1, ref left);
        if (!field.IsRepeated && fields.Last(field) is MessageFields earlier) earlier.Merge(message);
        else fields.Add(field, message);
        return true;
    }

    private static void CountOne(ref int left)
    {
        if (left-- == 0) throw new FormatException($"The message has more than {ValuesMax} values.");
    }
}
