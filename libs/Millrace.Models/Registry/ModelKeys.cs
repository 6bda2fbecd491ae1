using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Models.Registry;

/// <summary>Where things of the registry lie in the object store.</summary>
internal static partial class ModelKeys
{
    public const string Root = "models/";

    public static string Versions(string name) => $"{Root}{name}/versions/";

    public static string Version(string name, int version) => Versions(name) + Number(version);

    public static string Promotions(string name) => $"{Root}{name}/promotions/";

    public static string Promotion(string name, int number) => Promotions(name) + Number(number);

    /// <summary>Whether a version is kept for good, or was pruned: put once, by whoever is first.</summary>
    public static string Fate(string name, int version) => $"{Root}{name}/fates/{Number(version)}";

    /// <summary>A new place for content: a version's is nobody else's, and goes with it.</summary>
    public static string Content(string name, ModelFormat format) =>
        $"{Root}{name}/content/{Guid.NewGuid():N}.{(format == ModelFormat.Onnx ? "onnx" : "zip")}";

    /// <summary>The name in a key below the root.</summary>
    public static string NameIn(string key) => key[Root.Length..].Split('/')[0];

    /// <summary>A prefix that comes behind every key of the model.</summary>
    public static string After(string name) => $"{Root}{name}0";

    public static int NumberIn(string key) =>
        int.TryParse(Path.GetFileNameWithoutExtension(key), NumberStyles.None, CultureInfo.InvariantCulture,
            out var number) ? number : 0;

    public static string Check(string name) =>
        NamePattern().IsMatch(name) ? name : throw ModelErrors.NameInvalid.With(name).AsException();

    private static string Number(int number) => number.ToString("D8", CultureInfo.InvariantCulture) + ".json";

    [GeneratedRegex("^[a-z][a-z0-9-]{0,62}$")]
    private static partial Regex NamePattern();
}
