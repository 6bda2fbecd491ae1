using System.Text.Json;

namespace Millrace.Saql.Decoding;

/// <summary>
/// The types that an Avro schema gives names to. Each is known wherever it stands, for a record that is read first may
/// be defined in a branch that no datum takes; a name without a namespace is of the one around it.
/// </summary>
internal sealed class AvroNames
{
    private readonly Dictionary<string, (JsonElement Schema, string Space)> _types = [];

    /// <summary>All that is defined in the schema.</summary>
    public void Learn(JsonElement schema) => Learn(schema, "");

    /// <summary>What a name stands for, and the namespace around its definition.</summary>
    public (JsonElement Schema, string Space) Find(string name, string space)
    {
        if (!name.Contains('.') && _types.TryGetValue($"{space}.{name}", out var near)) return near;
        return _types.TryGetValue(name.Contains('.') ? name : "." + name, out var found)
            ? found
            : throw new FormatException($"The Avro type {name} is not known.");
    }

    /// <summary>The namespace of a named type, which holds for the names within.</summary>
    public static string SpaceOf(JsonElement schema, string around)
    {
        var name = schema.TryGetProperty("name", out var own) ? own.GetString() ?? "" : "";
        if (name.LastIndexOf('.') is > 0 and var dot) return name[..dot];
        return schema.TryGetProperty("namespace", out var given) ? given.GetString() ?? "" : around;
    }

    public static string NameOf(JsonElement named) =>
        named.GetProperty("name").GetString() ?? throw new FormatException("A name of the Avro schema is null.");

    private void Learn(JsonElement schema, string space)
    {
        if (schema.ValueKind == JsonValueKind.Array)
        {
            foreach (var branch in schema.EnumerateArray()) Learn(branch, space);
        }

        if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty("type", out var type)) return;
        if (type.ValueKind != JsonValueKind.String)
        {
            Learn(type, space);
            return;
        }

        if (type.GetString() is "record" or "error" or "enum" or "fixed")
        {
            var (name, around) = (NameOf(schema), space);
            space = SpaceOf(schema, space);
            _types[$"{space}.{name[(name.LastIndexOf('.') + 1)..]}"] = (schema, around);
        }

        if (schema.TryGetProperty("fields", out var fields))
        {
            foreach (var field in fields.EnumerateArray()) Learn(field.GetProperty("type"), space);
        }

        if (schema.TryGetProperty("items", out var items)) Learn(items, space);
        if (schema.TryGetProperty("values", out var values)) Learn(values, space);
    }
}
