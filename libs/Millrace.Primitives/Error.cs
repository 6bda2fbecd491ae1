namespace Millrace.Primitives;

/// <summary>
/// One kind of failure that a user can meet. The code is stable; docs/errors has a page of that name.
/// </summary>
/// <param name="Code">Area and number, such as <c>GW-0003</c>.</param>
/// <param name="What">One sentence of what happened.</param>
/// <param name="Why">One sentence of why it is refused or failed.</param>
/// <param name="Remedy">One sentence of what to do.</param>
public sealed record ErrorDefinition(string Code, string What, string Why, string Remedy)
{
    /// <summary>This failure, met with <paramref name="value"/> (shown to the user) and an optional detail.</summary>
    public Error With(object? value, string? detail = null) => new(this, value?.ToString(), detail);
}

/// <summary>A failure that was met: its kind, the offending value, and what the layer below said.</summary>
public sealed record Error(ErrorDefinition Definition, string? Value = null, string? Detail = null)
{
    public string Code => Definition.Code;

    /// <summary>An exception that carries this error, for start-up and for callers that cannot go on.</summary>
    public MillraceException AsException(Exception? cause = null) => new(this, cause);

    public override string ToString()
    {
        var value = Value is null ? "" : $" [{Value}]";
        var detail = Detail is null ? "" : $" {Detail}";
        return $"{Code}: {Definition.What}{value}{detail} {Definition.Why} {Definition.Remedy}";
    }
}

/// <summary>Thrown at start-up, for bugs, and where a caller cannot go on; on hot paths errors are values.</summary>
public class MillraceException(Error error, Exception? cause = null) : Exception(error.ToString(), cause)
{
    public Error Error { get; } = error;
}
