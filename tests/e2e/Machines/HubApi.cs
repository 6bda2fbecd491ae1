using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Millrace.E2E.Tests.Machines;

/// <summary>The API of a hub, as any client has it.</summary>
internal sealed class HubApi : IDisposable
{
    private readonly HttpClient _http;

    public HubApi(string address, string token)
    {
        _http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromSeconds(60) };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>The device's primary key; it is made when there is none of that id.</summary>
    public async Task<string> RegisterAsync(string id)
    {
        using var made = await _http.PostAsJsonAsync("api/v1/devices/batch", new[] { new { deviceId = id } });
        made.EnsureSuccessStatusCode();
        return (string)(await GetAsync($"api/v1/devices/{id}/keys"))!["primaryKey"]!;
    }

    public Task<JsonNode?> GetAsync(string path) => _http.GetFromJsonAsync<JsonNode>(path);

    /// <summary>Null while nobody answers, or answers with an error.</summary>
    public async Task<JsonNode?> TryGetAsync(string path)
    {
        try
        {
            return await GetAsync(path);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>The bodies of the device's telemetry, oldest first.</summary>
    public async Task<List<JsonNode>> TelemetryAsync(string device)
    {
        var bodies = new List<JsonNode>();
        string? next = null;
        do
        {
            var more = next is null ? "" : $"&continuation={Uri.EscapeDataString(next)}";
            var page = await GetAsync($"api/v1/devices/{device}/telemetry?order=oldest&limit=1000{more}");
            bodies.AddRange(page!["items"]!.AsArray().Select(item => item!["body"]!));
            next = (string?)page["continuation"];
        }
        while (next is not null);

        return bodies;
    }

    /// <summary>Rows of SQL over the archive, an object each.</summary>
    public async Task<List<JsonNode>> SqlAsync(string sql)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/cold/sql")
        {
            Content = JsonContent.Create(new { sql, rowsMax = 1_000_000 }),
        };
        request.Headers.Accept.ParseAdd("application/x-ndjson");
        using var answer = await _http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.IsSuccessStatusCode, text);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    public void Dispose() => _http.Dispose();
}
