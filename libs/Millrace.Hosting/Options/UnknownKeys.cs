using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Millrace.Hosting.Options;

/// <summary>
/// Finds keys of the configuration that set nothing: a slip in a name would otherwise leave the default in force.
/// </summary>
public static class UnknownKeys
{
    /// <param name="sections">Those of every role, because roles may share one file.</param>
    public static IReadOnlyList<string> In(IConfiguration configuration, IReadOnlyCollection<OptionsSection> sections)
    {
        var unknown = new List<string>();

        // A single value at the top is a variable of the environment that verbs read, such as MILLRACE_DATA.
        foreach (var top in configuration.GetChildren().Where(child => child.GetChildren().Any()))
        {
            if (!sections.Any(s => Is(s.Key, top.Path)))
                unknown.Add($"{top.Path} is no section. Those that there are: {Names(sections)}.");
        }

        foreach (var section in sections) Look(configuration.GetSection(section.Key), section.Type, sections, unknown);
        return unknown;
    }

    private static void Look(
        IConfigurationSection section, Type type, IReadOnlyCollection<OptionsSection> sections, List<string> unknown)
    {
        foreach (var child in section.GetChildren().Where(child => !sections.Any(s => Is(s.Key, child.Path))))
        {
            const BindingFlags Any = BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase;
            if (type.GetProperty(child.Key, Any) is not { } property)
            {
                unknown.Add($"{child.Path} is no option of {section.Path}; see docs/configuration.md.");
                continue;
            }

            if (OptionTypes.Nested(property.PropertyType) is not { } nested) continue;
            var holders = OptionTypes.IsList(property.PropertyType) ? child.GetChildren() : [child];
            foreach (var holder in holders) Look(holder, nested, sections, unknown);
        }
    }

    private static bool Is(string key, string path) => key.Equals(path, StringComparison.OrdinalIgnoreCase);

    private static string Names(IEnumerable<OptionsSection> sections) =>
        string.Join(", ", sections.Select(s => s.Key).Where(key => !key.Contains(':')).Distinct().Order());
}
