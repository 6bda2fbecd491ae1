namespace Millrace.Saql.Models;

/// <summary>What a query must know of a model to call it: <c>ML_SCORE('name', feature, ...)</c>.</summary>
/// <param name="Features">Their names, in the order in which ML_SCORE takes them. All are numbers.</param>
public sealed record QueryModel(string Name, IReadOnlyList<string> Features)
{
    /// <summary>How it is called.</summary>
    public string Call => $"{Function}('{Name}', {string.Join(", ", Features)})";

    internal const string Function = "ML_SCORE";
}
