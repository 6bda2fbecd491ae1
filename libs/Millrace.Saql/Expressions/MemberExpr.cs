using System.Text;
using Millrace.Saql.Engine;
using Millrace.Saql.Json;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>A field within a record that is computed, or that a step gives; null when the value is no record.</summary>
internal sealed class MemberExpr(Expr record, IEnumerable<string> path) : Expr
{
    private readonly byte[][] _path = [.. path.Select(Encoding.UTF8.GetBytes)];

    public override IReadOnlyList<Expr> Parts => [record];

    public override Value Evaluate(Frame frame)
    {
        var value = record.Evaluate(frame);
        foreach (var name in _path)
        {
            if (value.Kind != ValueKind.Record) return Value.Null;
            value = frame.Checked(JsonLookup.Member(value, name, frame.Arena));
        }

        return value;
    }
}

/// <summary>A column that stands to the right of a star: what the star gives under its name wins.</summary>
internal sealed class MemberOfFirst(Expr[] records, string name, IEnumerable<string> path, Expr otherwise) : Expr
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(name);
    private readonly byte[][] _path = [.. path.Select(Encoding.UTF8.GetBytes)];

    public override IReadOnlyList<Expr> Parts => [.. records, otherwise];

    public override Value Evaluate(Frame frame)
    {
        foreach (var expression in records)
        {
            var record = expression.Evaluate(frame);
            if (record.Kind != ValueKind.Record || !JsonLookup.Has(record, _name)) continue;
            var value = JsonLookup.Member(record, _name, frame.Arena);
            foreach (var inner in _path)
                value = value.Kind == ValueKind.Record ? JsonLookup.Member(value, inner, frame.Arena) : Value.Null;
            return frame.Checked(value);
        }

        return otherwise.Evaluate(frame);
    }
}
