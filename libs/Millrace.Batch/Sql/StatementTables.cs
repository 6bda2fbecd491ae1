using System.Text.Json;

namespace Millrace.Batch.Sql;

/// <summary>The names of tables in a statement; those of its own parts (WITH) and aliases may be among them.</summary>
internal static class StatementTables
{
    /// <param name="statements">What json_serialize_sql gives.</param>
    public static IReadOnlySet<string> Of(JsonElement statements)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        Collect(statements, names);
        return names;
    }

    private static void Collect(JsonElement node, HashSet<string> names)
    {
        switch (node.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in node.EnumerateObject())
                {
                    if (member.NameEquals("table_name") && member.Value.ValueKind == JsonValueKind.String)
                        names.Add(member.Value.GetString()!.Trim('"'));
                    else Collect(member.Value, names);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in node.EnumerateArray()) Collect(item, names);
                break;
        }
    }
}
