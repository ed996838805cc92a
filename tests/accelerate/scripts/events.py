"""A ball thrown upwards: the events of hitting the ground and of the highest point."""

from scipy.integrate import solve_ivp


def fly(t, y):
    return [y[1], -9.81]


def ground(t, y):
    return y[0]


ground.terminal = True
ground.direction = -1


def apex(t, y):
    return y[1]


sol = solve_ivp(fly, [0, 100], [1.0, 10.0], events=[ground, apex], max_step=0.2)
print(sol.status, sol.t_events[0].round(5), sol.t_events[1].round(5), sol.y_events[1][0, :1].round(4))
