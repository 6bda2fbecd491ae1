using System.Diagnostics.CodeAnalysis;

namespace Millrace.Batch.SparkConnect;

/// <summary>
/// Where Spark Connect is: <c>sc://host:port/;name=value;...</c> with the names <c>use_ssl</c>, <c>token</c> (which
/// goes over TLS unless <c>use_ssl=false</c>), <c>user_id</c> and <c>user_agent</c>; others are sent as headers.
/// </summary>
internal sealed record SparkAddress(
    string Host, int Port, bool UseTls, string? Token, string? User, string? UserAgent,
    IReadOnlyDictionary<string, string> Headers)
{
    private const string Scheme = "sc";
    private const int PortDefault = 15002;

    public Uri Uri => new($"{(UseTls ? "https" : "http")}://{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}");

    /// <summary>Reads one; when it is wrong, says what is.</summary>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out SparkAddress? address, [NotNullWhen(false)] out string? wrong)
    {
        address = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != Scheme || uri.Host.Length == 0)
        {
            wrong = "it is not like sc://host:15002";
            return false;
        }

        if (!TryValues(uri.AbsolutePath, out var values, out wrong)) return false;
        if (values.Remove("use_ssl", out var tls) && tls is not ("true" or "false"))
        {
            wrong = $"use_ssl is '{tls}' and not true or false";
            return false;
        }

        values.Remove("token", out var token);
        values.Remove("user_id", out var user);
        values.Remove("user_agent", out var agent);
        values.Remove("session_id");
        address = new SparkAddress(
            uri.Host.Trim('[', ']'), uri.Port > 0 ? uri.Port : PortDefault,
            tls is null ? token is not null : tls == "true", token, user, agent, values);
        return true;
    }

    /// <summary>What stands after the slash: values between semicolons.</summary>
    private static bool TryValues(
        string path, out Dictionary<string, string> values, [NotNullWhen(false)] out string? wrong)
    {
        values = [];
        wrong = null;
        var rest = path.TrimStart('/');
        if (rest.Length == 0) return true;
        if (!rest.StartsWith(';'))
        {
            wrong = "it has a path; values are written /;name=value;name=value";
            return false;
        }

        foreach (var pair in rest.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            if (parts.Length == 2 && parts[0].Length > 0 && parts[1].Length > 0
                && values.TryAdd(parts[0], Uri.UnescapeDataString(parts[1]))) continue;
            wrong = $"'{pair.Split('=')[0]}' is not name=value, or is there twice";
            return false;
        }

        return true;
    }
}
