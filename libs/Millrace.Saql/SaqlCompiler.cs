using Millrace.Saql.Binding;
using Millrace.Saql.Extensions;
using Millrace.Saql.Lexing;
using Millrace.Saql.Models;
using Millrace.Saql.Parsing;

namespace Millrace.Saql;

/// <summary>Text of a query to a plan, or to all that is wrong with it.</summary>
public static class SaqlCompiler
{
    /// <summary>The longest text, in characters.</summary>
    public const int TextLengthMax = 256 * 1024;

    /// <summary>
    /// Never throws for what a text may contain: what is wrong is among the diagnostics, in order of place.
    /// </summary>
    public static CompileResult Compile(string text, CompileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        var diagnostics = new Diagnostics(text);
        if (text.Length > TextLengthMax)
        {
            diagnostics.Add(SaqlErrors.TooLarge, 0, 1,
                $"The text has {text.Length} characters; the most is {TextLengthMax}.");
            return new CompileResult(null, diagnostics.ToList());
        }

        var tokens = new Lexer(text, diagnostics).Read();
        var script = RepartitionedInputs.Resolve(new Parser(tokens, diagnostics).ParseScript());
        var extensions = options?.Extensions ?? QueryExtensions.None;
        var parts = new QueryBinder(diagnostics, options?.KnownInputs, options?.References ?? [], extensions,
            options?.KnownModels, options?.Limits ?? PlanLimits.Default).Bind(script);
        return diagnostics.HasErrors
            ? new CompileResult(null, diagnostics.ToList())
            : new CompileResult(new QueryPlan(parts, text, extensions), diagnostics.ToList());
    }
}

/// <param name="KnownInputs">Names that FROM may use; null: any name is an input.</param>
/// <param name="References">Names of reference data, which only JOIN may use.</param>
/// <param name="Extensions">What the installation adds to the language; null: nothing.</param>
/// <param name="KnownModels">The models that ML_SCORE may name; null: any name, with any features.</param>
/// <param name="Limits">How large the plan may become; null: as by default.</param>
public sealed record CompileOptions(
    IReadOnlyCollection<string>? KnownInputs = null, IReadOnlyCollection<string>? References = null,
    QueryExtensions? Extensions = null, IReadOnlyCollection<QueryModel>? KnownModels = null,
    PlanLimits? Limits = null)
{
    /// <summary>The hub's devices: id, state and tags of each.</summary>
    public const string Devices = "devices";

    /// <summary>
    /// Whether the text may score with a model, so that it is worth looking for those that there are.
    /// </summary>
    public static bool MayScore(string text) =>
        text.Contains(QueryModel.Function, StringComparison.OrdinalIgnoreCase);

    /// <summary>As a hub compiles, which has reference data of its own.</summary>
    public static CompileOptions Hub(QueryExtensions extensions, IReadOnlyCollection<string>? knownInputs = null) =>
        new(knownInputs, [Devices, .. extensions.References], extensions, Limits: extensions.Limits);
}

/// <param name="Plan">Null when an error is among the diagnostics.</param>
public sealed record CompileResult(QueryPlan? Plan, IReadOnlyList<SaqlDiagnostic> Diagnostics);
