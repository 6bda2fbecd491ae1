using System.Text.Encodings.Web;
using System.Text.Json;
using Apache.Arrow;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Millrace.ColdPath.Formats;

/// <summary>How a result's rows are written as they stream in.</summary>
internal abstract class ResultFormat
{
    public static readonly JsonWriterOptions JsonOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public abstract string ContentType { get; }

    public abstract void Begin(Schema schema);

    /// <param name="rows">How many of the batch's rows, from its first.</param>
    public abstract void Write(RecordBatch batch, int rows);

    public abstract void End(bool truncated);

    /// <summary>
    /// By the address (<c>?format=json|jsonl|csv</c>), else by the Accept header, else JSON. Error CP-0006.
    /// </summary>
    public static ResultFormat Of(HttpContext context)
    {
        var writer = context.Response.BodyWriter;
        var format = context.Request.Query["format"].ToString();
        if (format.Length == 0) format = ByAccept(context.Request.Headers.Accept.ToString());
        return format switch
        {
            "json" => new JsonFormat(writer),
            "jsonl" => new JsonLinesFormat(writer),
            "csv" => new CsvFormat(writer),
            _ => throw ColdPathErrors.RequestInvalid.With(format, "The formats are json, jsonl and csv.").AsException(),
        };
    }

    private static string ByAccept(string accept)
    {
        if (!MediaTypeHeaderValue.TryParseList([accept], out var types)) return "json";
        foreach (var type in types.OrderByDescending(type => type.Quality ?? 1))
        {
            switch (type.MediaType.Value)
            {
                case "text/csv": return "csv";
                case JsonLinesFormat.MediaType or "application/jsonl": return "jsonl";
                case "application/json": return "json";
            }
        }

        return "json";
    }
}
