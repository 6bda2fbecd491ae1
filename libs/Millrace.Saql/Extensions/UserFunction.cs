namespace Millrace.Saql.Extensions;

/// <summary>A function that an installation adds; a query calls it as UDF.name(...).</summary>
/// <param name="TakesNull">Called with nulls too; else a null argument makes the result null.</param>
/// <param name="Call">
/// Takes long, double, string, bool, DateTime (UTC), null, and a record or an array as a JsonElement; gives one of
/// these. Whatever it throws fails the row. It gives the same for the same arguments, always.
/// </param>
public sealed record UserFunction(
    string Name, IReadOnlyList<UserType> Parameters, bool TakesNull, Func<object?[], object?> Call)
{
    public const string Prefix = "UDF.";

    public const int ParametersMax = Functions.Function.ParametersMax;
}

/// <summary>What a parameter takes; an argument of another type is converted, or the row fails.</summary>
public enum UserType
{
    /// <summary>Any value, as it is.</summary>
    Any,

    /// <summary>nvarchar(max).</summary>
    Text,

    /// <summary>bigint.</summary>
    Integer,

    /// <summary>float.</summary>
    Float,

    /// <summary>bit.</summary>
    Bit,

    /// <summary>datetime.</summary>
    DateTime,
}
