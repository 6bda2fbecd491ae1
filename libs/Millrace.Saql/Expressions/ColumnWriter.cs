using System.Text;
using Millrace.Saql.Engine;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>Writes one column of a row, or the members of a star, without what stands to the left.</summary>
internal sealed class ColumnWriter(OutputColumn plan)
{
    private readonly byte[]? _token = plan.Name is null ? null : JsonRowWriter.NameToken(plan.Name);
    private readonly byte[] _name = Encoding.UTF8.GetBytes(plan.Name ?? "");
    private readonly byte[][] _hidden = [.. plan.Hidden.Select(Encoding.UTF8.GetBytes)];

    public void Write(JsonRowWriter writer, Frame frame)
    {
        if (_token is null)
        {
            WriteMembers(writer, plan.Value.Evaluate(frame), frame);
            return;
        }

        if (plan.Stars.Count > 0 && IsGiven(_name, frame)) return;
        writer.Name(_token);
        writer.Value(plan.Value.Evaluate(frame));
    }

    /// <summary>The members of a record, except those whose names stand to the left and repeated ones.</summary>
    private void WriteMembers(JsonRowWriter writer, in Value record, Frame frame)
    {
        if (record.Kind != ValueKind.Record) return;
        var superseded = JsonLookup.Superseded(record);
        foreach (var member in JsonLookup.Members(record))
        {
            var name = member.Name;
            if (superseded is not null && superseded.Contains(member.ValueStart)) continue;
            if (IsHidden(name) || (plan.Stars.Count > 0 && IsGiven(name, frame))) continue;
            writer.NameAsWritten(member.WrittenName);
            writer.Json(member.Json);
        }
    }

    private bool IsHidden(ReadOnlySpan<byte> name)
    {
        foreach (var hidden in _hidden)
        {
            if (Ascii.EqualsIgnoreCase(hidden, name)) return true;
        }

        return false;
    }

    private bool IsGiven(ReadOnlySpan<byte> name, Frame frame)
    {
        foreach (var star in plan.Stars)
        {
            var record = star.Evaluate(frame);
            if (record.Kind == ValueKind.Record && JsonLookup.Has(record, name)) return true;
        }

        return false;
    }
}
