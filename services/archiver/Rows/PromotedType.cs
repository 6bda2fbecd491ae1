using Millrace.Delta.Schema;

namespace Millrace.Archiver.Rows;

/// <summary>What a promoted column holds.</summary>
public enum PromotedType
{
    /// <summary>A JSON number.</summary>
    Double,

    /// <summary>A JSON number without a fraction that fits 64 bits.</summary>
    BigInt,

    /// <summary>JSON text.</summary>
    String,

    /// <summary>true or false.</summary>
    Bool,

    /// <summary>JSON text in ISO 8601; without a zone it is UTC.</summary>
    Timestamp,
}

/// <summary>A promoted column, ready for use.</summary>
internal sealed record PromotedColumn(string Name, FieldPath Path, PromotedType Type)
{
    public DeltaColumn ToDelta() => new(Name, Type switch
    {
        PromotedType.Double => DeltaType.Double,
        PromotedType.BigInt => DeltaType.Long,
        PromotedType.String => DeltaType.String,
        PromotedType.Bool => DeltaType.Boolean,
        PromotedType.Timestamp => DeltaType.Timestamp,
        _ => throw new InvalidOperationException($"No column type for {Type}."),
    });

    /// <summary>
    /// The columns as they can stand in a table of this schema. Where it has one of the name with another type, since
    /// the configuration was changed, the column takes a name with its type: <c>temperature_string</c>. Letters differ
    /// by case for some readers only, so for names they do not.
    /// </summary>
    /// <param name="changed">Hears the name, and the one in its place, when the table gets that column now.</param>
    public static IReadOnlyList<PromotedColumn> Beside(
        DeltaSchema? schema, IReadOnlyList<PromotedColumn> columns, Action<string, string> changed)
    {
        var placed = new List<PromotedColumn>();
        foreach (var column in columns)
        {
            var there = Named(schema, column.Name);
            if (there is null || there.Type == column.ToDelta().Type)
            {
                placed.Add(column with { Name = there?.Name ?? column.Name });
                continue;
            }

            var instead = $"{column.Name}_{column.Type.ToString().ToLowerInvariant()}";
            if (Named(schema, instead) is null) changed(column.Name, instead);
            placed.Add(column with { Name = Named(schema, instead)?.Name ?? instead });
        }

        return placed;
    }

    /// <summary>The columns of validated options.</summary>
    public static IReadOnlyList<PromotedColumn> From(ArchiverOptions options) =>
    [
        .. options.PromotedColumns.Select(column => FieldPath.TryParse(column.Path, out var path)
            ? new PromotedColumn(column.Name, path, column.Type)
            : throw new InvalidOperationException($"{column.Path} was not validated.")),
    ];

    private static DeltaColumn? Named(DeltaSchema? schema, string name) => schema?.Columns
        .FirstOrDefault(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
