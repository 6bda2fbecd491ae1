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

    /// <summary>The columns of validated options.</summary>
    public static IReadOnlyList<PromotedColumn> From(ArchiverOptions options) =>
    [
        .. options.PromotedColumns.Select(column => FieldPath.TryParse(column.Path, out var path)
            ? new PromotedColumn(column.Name, path, column.Type)
            : throw new InvalidOperationException($"{column.Path} was not validated.")),
    ];
}
