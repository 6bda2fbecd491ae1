using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Millrace.Models;
using Millrace.Models.Registry;
using Millrace.Models.Scoring;

namespace Millrace.ColdPath.Models;

/// <summary>
/// ONNX models that requests bring: the model is the body, the rest stands in the address:
/// <c>?features=a,b&amp;kind=score&amp;output=y&amp;metric=error:0.5</c>.
/// </summary>
internal sealed class ModelUploads(IOptions<ColdPathOptions> options)
{
    /// <summary>What is to be registered; refused when it could not score.</summary>
    public async Task<(ModelDraft Draft, byte[] Content)> ReadAsync(string name, string by, HttpContext context)
    {
        var query = context.Request.Query;
        foreach (var one in (string[])["features", "kind", "output"])
            if (query[one].Count > 1) throw Invalid(query[one], $"{one} may be given once.");
        var features = ((string?)query["features"] ?? "").Split(',', StringSplitOptions.TrimEntries |
            StringSplitOptions.RemoveEmptyEntries);
        if (features.Length == 0 || features.Distinct().Count() < features.Length)
            throw Invalid(query["features"], "features names each feature once, with commas between.");
        var draft = new ModelDraft(name, KindOf(query["kind"]), ModelFormat.Onnx,
            [.. features.Select(one => new ModelFeature(one))],
            query["metric"].Select(metric => MetricOf(metric!)).ToDictionary(one => one.Key, one => one.Value),
            by, "registered", query["output"]);
        var content = await ContentAsync(context).ConfigureAwait(false);
        ModelScorers.Check(draft, content);
        return (draft, content);
    }

    private async Task<byte[]> ContentAsync(HttpContext context)
    {
        var most = options.Value.ModelBytesMax;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = most.Bytes + 1;
        if (context.Request.ContentLength > most.Bytes) throw TooLarge(most);
        using var content = new MemoryStream();
        await context.Request.Body.CopyToAsync(content, context.RequestAborted).ConfigureAwait(false);
        return content.Length <= most.Bytes ? content.ToArray() : throw TooLarge(most);
    }

    private static ModelKind KindOf(string? text)
    {
        try
        {
            return text is null
                ? ModelKind.Score
                : JsonSerializer.Deserialize<ModelKind>(JsonSerializer.Serialize(text));
        }
        catch (JsonException)
        {
            throw Invalid(text, "kind is anomaly, remaining-life or score.");
        }
    }

    private static KeyValuePair<string, double> MetricOf(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 2
            && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? new KeyValuePair<string, double>(parts[0], value)
            : throw Invalid(text, "metric is NAME:NUMBER.");
    }

    private static Exception Invalid(object? value, string why) =>
        ModelErrors.RequestInvalid.With(value?.ToString(), why).AsException();

    private static Exception TooLarge(Primitives.ByteSize most) =>
        ModelErrors.TooLarge.With(null, $"The most is {most}.").AsException();
}
