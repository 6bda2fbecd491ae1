using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Client;

/// <summary>Talks to a platform's API, and turns its problems into errors with their codes.</summary>
internal sealed class ApiClient : IDisposable
{
    /// <summary>For whole answers.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMinutes(10);

    /// <summary>For answers that stream: no statement takes longer, whatever the platform's options say.</summary>
    private static readonly TimeSpan StreamTimeout = TimeSpan.FromDays(1);

    private readonly HttpClient _http;

    public ApiClient(PlatformTarget target)
    {
        _http = new HttpClient { BaseAddress = target.Server, Timeout = StreamTimeout };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", target.Token);
    }

    public Task<JsonNode?> GetAsync(string path, CancellationToken ct) =>
        SendAsync(HttpMethod.Get, path, (JsonNode?)null, ct);

    public Task<JsonNode?> PostAsync(string path, JsonNode? body, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, path, body, ct);

    /// <summary>Sends bytes as they are.</summary>
    public Task<JsonNode?> PostBytesAsync(string path, byte[] body, CancellationToken ct)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return SendAsync(HttpMethod.Post, path, content, ct);
    }

    public Task<JsonNode?> DeleteAsync(string path, CancellationToken ct) =>
        SendAsync(HttpMethod.Delete, path, (JsonNode?)null, ct);

    /// <summary>All items of a list that is answered in pages, up to a number of them.</summary>
    public async Task<List<JsonObject>> ListAsync(string path, int most, CancellationToken ct)
    {
        var items = new List<JsonObject>();
        string? continuation = null;
        do
        {
            var separator = path.Contains('?') ? '&' : '?';
            var next = continuation is null ? "" : $"&continuation={Uri.EscapeDataString(continuation)}";
            var page = await GetAsync($"{path}{separator}limit={Math.Min(most - items.Count, 1000)}{next}", ct);
            items.AddRange(page!["items"]!.AsArray().Select(i => i!.AsObject()));
            continuation = (string?)page["continuation"];
        }
        while (continuation is not null && items.Count < most);

        return items;
    }

    /// <summary>An answer as it streams in; the caller disposes it.</summary>
    public Task<HttpResponseMessage> OpenAsync(
        HttpMethod method, string path, JsonNode? body, string accept, CancellationToken ct) =>
        OpenAsync(method, path, body is null ? null : JsonContent.Create(body), accept, ct);

    private async Task<HttpResponseMessage> OpenAsync(
        HttpMethod method, string path, HttpContent? content, string accept, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        try
        {
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
            if (response.IsSuccessStatusCode) return response;
            using (response) throw await ProblemAsync(response, ct);
        }
        catch (Exception e) when (IsUnreachable(e, ct))
        {
            throw Unreachable(e);
        }
    }

    /// <summary>CL-0002, when the platform went away or took too long; not when the user asked to stop.</summary>
    public Exception Unreachable(Exception? cause) =>
        HostErrors.PlatformUnreachable.With(_http.BaseAddress, cause?.Message).AsException(cause);

    public static bool IsUnreachable(Exception e, CancellationToken ct) =>
        e is HttpRequestException or IOException or OperationCanceledException && !ct.IsCancellationRequested;

    public void Dispose() => _http.Dispose();

    private Task<JsonNode?> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken ct) =>
        SendAsync(method, path, body is null ? null : JsonContent.Create(body), ct);

    private async Task<JsonNode?> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(AnswerTimeout, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            return await AnswerAsync(method, path, content, either.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw Unreachable(e);
        }
    }

    private async Task<JsonNode?> AnswerAsync(
        HttpMethod method, string path, HttpContent? content, CancellationToken ct)
    {
        using var response = await OpenAsync(method, path, content, "application/json", ct);
        if (response.StatusCode == HttpStatusCode.NoContent) return null;
        try
        {
            var text = await response.Content.ReadAsStringAsync(ct);
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (Exception e) when (IsUnreachable(e, ct))
        {
            throw Unreachable(e);
        }
    }

    private static async Task<Exception> ProblemAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var text = await response.Content.ReadAsStringAsync(ct);
        try
        {
            var problem = JsonNode.Parse(text)!.AsObject();
            return new ApiProblemException(
                (string?)problem["code"] ?? ((int)response.StatusCode).ToString(), (string?)problem["title"] ?? "",
                (string?)problem["detail"] ?? "", (string?)problem["value"], problem["diagnostics"] as JsonArray);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new ApiProblemException(((int)response.StatusCode).ToString(), response.ReasonPhrase ?? "", text,
                null, null);
        }
    }
}

/// <summary>A problem that the API answered with.</summary>
internal sealed class ApiProblemException(
    string code, string title, string detail, string? value, JsonArray? diagnostics)
    : Exception($"{code}: {title}{(value is null ? "" : $" [{value}]")} {detail}".TrimEnd())
{
    /// <summary>The errors of a query's text, when that is what was wrong.</summary>
    public JsonArray? Diagnostics { get; } = diagnostics;
}
