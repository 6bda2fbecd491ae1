using Millrace.Saql.Engine;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>A value together with what it is ordered by, for aggregates that rank: encoded, in one.</summary>
internal sealed class PackExpr(Expr value, Expr[] order) : Expr
{
    public override Value Evaluate(Frame frame)
    {
        var packed = value.Evaluate(frame);
        Span<Value> keys = new Value[order.Length];
        var size = ValueCodec.Size(packed);
        for (var i = 0; i < order.Length; i++)
        {
            keys[i] = order[i].Evaluate(frame);
            size += ValueCodec.Size(keys[i]);
        }

        var room = frame.Arena.Reserve(size);
        var at = ValueCodec.Write(room, packed);
        foreach (ref readonly var key in keys[..order.Length]) at += ValueCodec.Write(room[at..], key);
        return frame.Arena.Commit(ValueKind.Text, size);
    }

    public static (Value Value, Value[] Order) Unpack(in Value packed, int count)
    {
        var at = packed.Start;
        var value = ValueCodec.Read(packed.Bytes!, ref at);
        var order = new Value[count];
        for (var i = 0; i < count; i++) order[i] = ValueCodec.Read(packed.Bytes!, ref at);
        return (value, order);
    }
}

/// <summary>The columns of a row as one record.</summary>
internal sealed class RecordExpr((string? Name, Expr Value)[] columns) : Expr
{
    private readonly byte[]?[] _tokens =
        [.. columns.Select(column => column.Name is null ? null : JsonRowWriter.NameToken(column.Name))];

    public override ValueKind? Type => ValueKind.Record;

    public override Value Evaluate(Frame frame)
    {
        if (columns is [{ Name: null } whole]) return whole.Value.Evaluate(frame);
        var writer = new JsonRowWriter();
        writer.Begin();
        for (var i = 0; i < columns.Length; i++)
        {
            var value = columns[i].Value.Evaluate(frame);
            if (_tokens[i] is { } token)
            {
                writer.Name(token);
                writer.Value(value);
            }
            else if (value.Kind == ValueKind.Record)
            {
                foreach (var member in JsonLookup.Members(value))
                {
                    writer.NameAsWritten(member.WrittenName);
                    writer.Json(member.Json);
                }
            }
        }

        writer.End();
        return frame.Arena.Add(writer.Written, ValueKind.Record);
    }
}
