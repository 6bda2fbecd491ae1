using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Millrace.E2E.Tests.Machines;

/// <summary>What Prometheus answers.</summary>
internal sealed class PrometheusApi(string address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(address) };

    /// <summary>The sum of what the expression finds; null when it finds nothing. One that is none fails.</summary>
    public async Task<double?> AskAsync(string expression)
    {
        using var answer = await _http.GetAsync($"api/v1/query?query={Uri.EscapeDataString(expression)}");
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) throw new HttpRequestException(text);
        Assert.That(answer.IsSuccessStatusCode, $"{expression}\n{text}");
        var found = JsonNode.Parse(text)!["data"]!["result"]!.AsArray();
        if (found.Count == 0) return null;
        return found.Sum(each => double.Parse((string)each!["value"]![1]!, CultureInfo.InvariantCulture));
    }

    /// <summary>Null also while nobody answers, or it still starts.</summary>
    public async Task<double?> TryAskAsync(string expression)
    {
        try
        {
            return await AskAsync(expression);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>How many alert rules it has.</summary>
    public async Task<int> RulesAsync()
    {
        var rules = JsonNode.Parse(await _http.GetStringAsync("api/v1/rules"))!;
        return rules["data"]!["groups"]!.AsArray().Sum(group => group!["rules"]!.AsArray().Count);
    }

    public void Dispose() => _http.Dispose();
}
