namespace Millrace.Batch.Sql;

/// <summary>The values that a statement's parameters may have.</summary>
internal static class SqlParameters
{
    /// <summary>The value, or BA-0004.</summary>
    public static object? Checked(string name, object? value) => value switch
    {
        null or string or long or double or bool or DateTimeOffset => value,
        _ => throw BatchErrors.ParameterInvalid.With(name, value.GetType().Name).AsException(),
    };
}
