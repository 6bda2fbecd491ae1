using CsCheck;
using Millrace.Saql.Engine;

namespace Millrace.Saql.Tests;

/// <summary>Sums that floats come into and go out of.</summary>
public class ExactSumTests
{
    [Test]
    public void What_is_left_is_the_sum_of_what_is_left() => Gen.Double[-1e300, 1e300].Array[1, 30].Sample(numbers =>
    {
        var all = new ExactSum();
        foreach (var number in numbers) all.Add(number);
        foreach (var number in numbers[..^1]) all.Remove(number);
        return all.Value == numbers[^1];
    });

    [Test]
    public void A_sum_of_two_is_as_the_processor_rounds_it() =>
        Gen.Select(Gen.Double, Gen.Double).Where((a, b) => double.IsFinite(a) && double.IsFinite(b)).Sample((a, b) =>
        {
            var sum = new ExactSum();
            sum.Add(a);
            sum.Add(b);
            return sum.Value == a + b;
        });

    [TestCase(new[] { 1e308, 1e308, -1e308 }, 1e308)]
    [TestCase(new[] { 1.0, 1e100, 1.0, -1e100 }, 2.0)]
    [TestCase(new[] { double.Epsilon, -double.Epsilon, double.Epsilon }, double.Epsilon)]
    [TestCase(new[] { 0.1, 0.2, 0.3 }, 0.6)]
    [TestCase(new[] { double.MaxValue, double.MaxValue }, double.PositiveInfinity)]
    [TestCase(new double[0], 0.0)]
    public void Nothing_is_rounded_on_the_way(double[] numbers, double sum)
    {
        var exact = new ExactSum();
        foreach (var number in numbers) exact.Add(number);
        Assert.That(exact.Value, Is.EqualTo(sum));
    }
}
