using System.Text.Json;
using Millrace.Primitives;

namespace Millrace.Api;

/// <summary>Reads the parameters that many endpoints have.</summary>
internal static class Limits
{
    public const int PageRows = 100;

    /// <summary>The page's size, or an error AP-0004.</summary>
    public static int Page(int? limit, ApiOptions options) =>
        (limit ?? PageRows) is var rows && rows >= 1 && rows <= options.PageRowsMax
            ? rows
            : throw ApiErrors.BadRequest.With(limit, $"limit must be 1 to {options.PageRowsMax}.").AsException();

    /// <summary>A name of an enum as answers write it (<c>critical</c>), or an error AP-0004.</summary>
    public static T? Choice<T>(string? text, string parameter)
        where T : struct, Enum
    {
        if (text is null) return null;
        var names = Enum.GetNames<T>().Select(JsonNamingPolicy.CamelCase.ConvertName).ToList();
        return names.IndexOf(text) is >= 0 and var i
            ? Enum.GetValues<T>()[i]
            : throw ApiErrors.BadRequest.With(text, $"{parameter} must be one of {string.Join(", ", names)}.")
                .AsException();
    }

    /// <summary>The devices that are asked for, each once, or an error AP-0004 or MR-0001.</summary>
    public static IReadOnlyList<string> Devices(string[] device, ApiOptions options)
    {
        IReadOnlyList<string> ids = [.. device.Distinct().Select(Device)];
        return ids.Count >= 1 && ids.Count <= options.DevicesPerReadMax
            ? ids
            : throw ApiErrors.BadRequest.With(ids.Count,
                $"Name 1 to {options.DevicesPerReadMax} devices, each as a parameter device.").AsException();
    }

    /// <summary>The device id of a path, or an error MR-0001.</summary>
    public static string Device(string id) => DeviceId.Parse(id).Value;
}
