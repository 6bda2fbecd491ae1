namespace Millrace.Saql.Tests;

/// <summary>The assembly of a user, of which the examples show the methods as they stand here.</summary>
public static class ExampleFleet
{
    public static double Fahrenheit(double celsius) => (celsius * 9 / 5) + 32;

    public static string? Floor(string? room, long? floor) => room is null ? null : $"{room}/{floor ?? 0}";

    public static long Rank(string grade) =>
        grade is "A" or "B" ? grade[0] - 'A' : throw new ArgumentException($"There is no grade {grade}.");

    public static string Frame(byte[] body) => $$"""{"t":{{((body[0] << 8) | body[1]) / 10.0}}}""";
}
