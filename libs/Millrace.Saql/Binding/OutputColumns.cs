using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Binding;

/// <summary>A row's columns to what is written: of two of one name the left one is.</summary>
internal static class OutputColumns
{
    public static OutputColumn[] Of(IEnumerable<ColumnItem> items)
    {
        var columns = new List<OutputColumn>();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var stars = new List<Expr>();
        foreach (var (name, value) in items)
        {
            if (name is not null && !names.Add(name)) continue;
            columns.Add(new OutputColumn(name, value, name is null ? [.. names] : [], [.. stars]));
            if (name is null) stars.Add(value);
        }

        return [.. columns];
    }
}
