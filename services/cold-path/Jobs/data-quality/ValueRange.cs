using System.Globalization;
using Millrace.ColdPath.Catalog;

namespace Millrace.ColdPath.Jobs.DataQuality;

/// <summary>What the values of a column are to lie within.</summary>
internal sealed record ValueRange(string Column, double Low, double High)
{
    private const string Parameter = "ranges";
    private const string Between = "..";

    /// <summary>
    /// Of all columns that the job looks at: low and high, but for those that ranges names, as column=low..high, where
    /// either may be left out.
    /// </summary>
    public static IReadOnlyList<ValueRange> Of(FrameJobInput input)
    {
        var all = input.Columns("columns")
            .Select(name => new ValueRange(name, input.Get<double>("low"), input.Get<double>("high"))).ToList();
        foreach (var text in input.Get<string>(Parameter).Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) throw Invalid(text);
            var name = text[..equals].TrimEnd();
            var index = all.FindIndex(range => range.Column == name);
            if (index < 0)
                throw ColdPathErrors.ColumnUnknown.With(Parameter, $"{name} is none of the columns.").AsException();
            all[index] = all[index].Within(text, text[(equals + 1)..]);
        }

        return all;
    }

    private ValueRange Within(string text, string bounds)
    {
        if (bounds.Split(Between) is not [var low, var high]) throw Invalid(text);
        return this with { Low = Number(low, Low, text), High = Number(high, High, text) };
    }

    private static double Number(string number, double otherwise, string text) => number.Trim() switch
    {
        "" => otherwise,
        var given when double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value) => value,
        _ => throw Invalid(text),
    };

    private static Exception Invalid(string text) =>
        ColdPathErrors.ParameterInvalid.With(text, $"{Parameter} is a list of column=low..high.").AsException();
}
