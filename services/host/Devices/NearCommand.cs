using System.CommandLine;
using System.Globalization;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Devices;

/// <summary>millrace device near</summary>
internal static class NearCommand
{
    private static readonly (string, string)[] Columns =
        [("device", "deviceId"), ("latitude", "latitude"), ("longitude", "longitude"), ("altitude", "altitude"),
         ("metres away", "distance"), ("at", "eventAt")];

    public static Command Build()
    {
        var point = new Argument<string?>("LATITUDE,LONGITUDE")
        {
            Description = "The middle of the circle, in degrees",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var radius = new Option<string>("--radius")
        {
            Description = "How far from there, such as 500m or 5km",
            DefaultValueFactory = _ => "1km",
        };
        var box = new Option<string?>("--box")
        {
            Description = "A box instead of a circle, in degrees",
            HelpName = "SOUTH,WEST,NORTH,EAST",
        };
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 1000 };
        return Verb.Remote("near", "Devices whose latest position is within a circle or a box",
            "millrace device near 52.52,13.405 --radius 5km", async (parsed, api, ct) =>
            {
                var query = parsed.GetValue(box) is { } corners
                    ? Box(corners)
                    : Circle(parsed.GetValue(point), parsed.GetValue(radius)!);
                var items = await api.ListAsync($"api/v1/positions?{query}", parsed.GetValue(limit), ct);
                ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, Columns);
            }, point, radius, box, limit, CommonOptions.Output);
    }

    private static string Box(string text)
    {
        var c = Numbers(text, 4, "--box", "South, west, north and east with commas between them.");
        return string.Create(CultureInfo.InvariantCulture, $"south={c[0]}&west={c[1]}&north={c[2]}&east={c[3]}");
    }

    private static string Circle(string? point, string radius)
    {
        var p = Numbers(point ?? "", 2, "LATITUDE,LONGITUDE", "Latitude and longitude with a comma between, or --box.");
        return string.Create(
            CultureInfo.InvariantCulture, $"latitude={p[0]}&longitude={p[1]}&radius={Metres(radius)}");
    }

    private static double Metres(string text)
    {
        var (number, unit) = text.EndsWith("km", StringComparison.Ordinal) ? (text[..^2], 1_000)
            : text.EndsWith('m') ? (text[..^1], 1) : (text, 1);
        return Numbers(number, 1, "--radius", $"'{text}' is no distance such as 500m or 5km.")[0] * unit;
    }

    private static double[] Numbers(string text, int count, string option, string remedy)
    {
        var parts = text.Split(',');
        var numbers = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]))
                count = -1;
        }

        return numbers.Length == count ? numbers : throw HostErrors.OptionInvalid.With(option, remedy).AsException();
    }
}
