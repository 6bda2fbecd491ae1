namespace Millrace.Delta.Schema;

/// <summary>The types that our tables use, of those that the protocol has ("Schema Serialization Format").</summary>
public enum DeltaType
{
    String,
    Long,
    Integer,
    Double,
    Boolean,
    Binary,

    /// <summary>A day without a time zone.</summary>
    Date,

    /// <summary>Microseconds since 1970 UTC.</summary>
    Timestamp,

    /// <summary>A map of text to text, its values never null.</summary>
    StringMap,
}

/// <param name="Nullable">Whether a row may lack it.</param>
public sealed record DeltaColumn(string Name, DeltaType Type, bool Nullable = true);
