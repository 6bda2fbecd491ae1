using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Millrace.Output;

internal enum OutputFormat
{
    Table,
    Json,
    Csv,
}

/// <summary>Prints lists of JSON objects as people and programs like them.</summary>
internal static class ResultWriter
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonSerializerOptions Compact = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="columns">
    /// Header and path into each item, such as ("status", "status.state"); of paths with a bar between them the first
    /// that is there.
    /// </param>
    public static void List(
        OutputFormat format, IReadOnlyList<JsonObject> items, params (string Header, string Path)[] columns)
    {
        switch (format)
        {
            case OutputFormat.Json:
                Console.WriteLine(new JsonArray([.. items.Select(i => i.DeepClone())]).ToJsonString(Indented));
                break;
            case OutputFormat.Csv:
                Csv(columns.Select(c => c.Header), items.Select(i => columns.Select(c => Cell(i, c.Path))));
                break;
            case OutputFormat.Table:
            default:
                Table(columns.Select(c => c.Header), items.Select(i => columns.Select(c => Cell(i, c.Path))));
                break;
        }
    }

    /// <summary>What a verb did: a sentence for people, one object for programs.</summary>
    public static void Said(OutputFormat format, string sentence, JsonObject item)
    {
        if (format == OutputFormat.Table) Console.WriteLine(sentence);
        else One(format, item);
    }

    /// <summary>One row as it comes in: a line of its cells, or of the whole object as JSON.</summary>
    public static void Line(OutputFormat format, JsonObject item, params (string Header, string Path)[] columns)
    {
        var cells = columns.Select(c => Cell(item, c.Path));
        Console.WriteLine(format switch
        {
            OutputFormat.Json => Text(item),
            OutputFormat.Csv => string.Join(',', cells.Select(Quote)),
            _ => string.Join("  ", cells),
        });
    }

    /// <summary>One object: a line for each of its fields.</summary>
    public static void One(OutputFormat format, JsonObject item)
    {
        var fields = item.Where(f => f.Value is not null).Select(f => new[] { f.Key, Text(f.Value) });
        switch (format)
        {
            case OutputFormat.Json:
                Console.WriteLine(item.ToJsonString(Indented));
                break;
            case OutputFormat.Csv:
                Csv(item.Select(f => f.Key), [item.Select(f => Text(f.Value))]);
                break;
            case OutputFormat.Table:
            default:
                foreach (var field in fields) Console.WriteLine($"{field[0],-18} {field[1]}");
                break;
        }
    }

    public static void Csv(IEnumerable<string> headers, IEnumerable<IEnumerable<string>> rows)
    {
        Console.WriteLine(string.Join(',', headers.Select(Quote)));
        foreach (var row in rows) Console.WriteLine(string.Join(',', row.Select(Quote)));
    }

    public static void Table(IEnumerable<string> headers, IEnumerable<IEnumerable<string>> rows)
    {
        var table = new Table { Border = TableBorder.Simple, UseSafeBorder = false };
        foreach (var header in headers) table.AddColumn(
            new TableColumn(new Text(header)) { NoWrap = Console.IsOutputRedirected });
        foreach (var row in rows) table.AddRow(row.Select(cell =>
            (Spectre.Console.Rendering.IRenderable)new Text(cell)));
        var console = AnsiConsole.Console;

        // A pipe has no width: cut nothing there.
        if (Console.IsOutputRedirected) console.Profile.Width = 1_000;
        console.Write(table);
    }

    public static string Text(JsonNode? node) => node switch
    {
        null => "",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => node.ToJsonString(Compact),
    };

    private static string Cell(JsonObject item, string path)
    {
        JsonNode? node = null;
        foreach (var way in path.Split('|'))
        {
            node = item;
            foreach (var part in way.Split('.')) node = node is JsonObject record ? record[part] : null;
            if (node is not null) break;
        }

        return Text(node);
    }

    private static string Quote(string cell)
    {
        if (cell.AsSpan().IndexOfAny(",\"\n\r") < 0) return cell;
        return new StringBuilder("\"").Append(cell.Replace("\"", "\"\"")).Append('"').ToString();
    }
}
